// FileLock: a lock that a crash cannot leave behind (flock), with a text that says who holds it.
// Not a lock between threads, and not the freeze of `apps:lock`.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "process/cancel.hpp"
#include "process/unique_fd.hpp"

namespace davit {

/// What is written into the lock file. Survives the holder: only a failed try says that it is true now.
struct LockOwner {
  std::string command;  ///< "git push", "ps:scale": one line, no secret
  pid_t pid = 0;
  UnixMs since_unix_ms = 0;
};

struct LockWait {
  std::int64_t deadline_ms = 0;  ///< 0: for ever
  std::optional<CancelToken> cancel;
  std::function<void(const LockOwner&)> on_wait;  ///< once, before the waiting starts; may be empty
};

/// Move-only. The lock belongs to the open file: it lives as long as any process holds a copy of fd().
/// fd() is close-on-exec; a child gets it only through PassFd. Destruction closes our copy only, release()
/// unlocks for all.
class FileLock {
 public:
  /// Makes the file (mode 0600; its folder must exist) and locks it. If held: waits as `wait` says.
  /// Errors: kTimeout, kCancelled (both name the holder), kUnavailable, kDenied.
  static Result<FileLock> acquire(const std::filesystem::path& path, const LockOwner& owner,
                                  const LockWait& wait);
  /// Does not wait. Held by another: kConflict, and the message names command and age.
  static Result<FileLock> try_acquire(const std::filesystem::path& path, const LockOwner& owner);
  /// Who wrote itself in last; nullopt for no file or no text. Says nothing about whether the lock is held.
  static std::optional<LockOwner> last_owner(const std::filesystem::path& path);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Unlocks, also for processes that inherited it, and closes.
  void release();
  /// Deletes the file, then unlocks: for locks of things that are gone. Others that wait notice and make it
  /// anew.
  void release_and_unlink();

 private:
  FileLock(UniqueFd fd, std::filesystem::path path) : fd_(std::move(fd)), path_(std::move(path)) {}
  UniqueFd fd_;
  std::filesystem::path path_;
};

}  // namespace davit
