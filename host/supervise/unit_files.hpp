// The files of one unit as s6 and davit-unit keep them: who supervises it, what s6 says, what davit-unit
// says. Reading and poking only; what it means is supervisor.cpp's. Private to this room.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "process/unique_fd.hpp"
#include "supervise/unit_state.h"

namespace davit::detail {

/// s6's own status of a service.
struct S6Status {
  pid_t pid = 0;  ///< of davit-unit; 0: not running
  bool finishing = false;
  bool wanted_up = false;
  bool ready = false;
};

class UnitFiles {
 public:
  explicit UnitFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] std::filesystem::path file(std::string_view name) const { return folder_ / name; }
  [[nodiscard]] bool exists() const;
  [[nodiscard]] bool has(std::string_view name) const;

  /// The pid of its s6-supervise; nullopt if none runs.
  [[nodiscard]] std::optional<pid_t> supervisor() const;
  /// An s6-supervise listens on its control fifo.
  [[nodiscard]] bool listening() const;
  /// Commands as s6-svc gives them: "u", "d", ... kConflict if nobody listens.
  Result<> command(std::string_view bytes) const;

  /// nullopt: none yet, or an s6 whose format we do not know.
  [[nodiscard]] std::optional<S6Status> s6_status() const;
  [[nodiscard]] std::optional<davit_unit_state> state() const;

 private:
  [[nodiscard]] std::optional<S6Status> written_status() const;
  /// On a full disk s6 cannot write what it knows, and the status that stands there is an old one.
  /// davit-unit's own file has its place on the disk. Not `ready`, which only s6 knows.
  [[nodiscard]] S6Status as_davit_unit_says() const;
  /// One lives, the unit's lock says.
  [[nodiscard]] bool has_davit_unit() const;

  std::filesystem::path folder_;
};

/// Who holds a POSIX lock on `path`.
std::optional<pid_t> lock_holder(const std::filesystem::path& path);
/// Writes to an s6 fifo; false if nobody reads there.
bool write_fifo(const std::filesystem::path& path, std::string_view bytes);
bool fifo_has_reader(const std::filesystem::path& path);

/// A pidfd of whoever holds the lock, race-free; invalid if nobody does.
UniqueFd pidfd_of_holder(const std::filesystem::path& lock_path);
/// Waits until the process is gone. False: the time (monotonic ms; 0: none) came first.
bool wait_for_end(int pidfd, std::int64_t until_mono_ms);
void send(int pidfd, int signal);

}  // namespace davit::detail
