// The output of containers that are gone: taken from the engine before a container is removed, a file each,
// kept until somebody says forget_logs.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "containers.hpp"
#include "davit/instances.hpp"

namespace davit::docker_plugin {

struct LogEntry {
  std::int64_t unix_ns = 0;
  std::string text;
};

/// Puts an engine's log back together: frames with "TIME text", where a line longer than 16 KiB comes in
/// several. Pure.
class LogDecoder {
 public:
  explicit LogDecoder(std::function<void(LogEntry)> use) : use_(std::move(use)) {}
  /// One frame's payload.
  void feed(int stream, std::string_view payload);
  /// What is left of unfinished lines.
  void finish();

 private:
  struct Part {
    std::int64_t unix_ns = 0;
    std::string text;
    bool begun = false;
  };
  std::function<void(LogEntry)> use_;
  Part parts_[4];  ///< by stream
};

class SavedLogs {
 public:
  explicit SavedLogs(const Base& base) : base_(base) {}
  /// Best effort: a log that cannot be read or written is said in davit's log. Once more is no more.
  void save(const sdk::Call& call, const Found& container) const;
  void forget(const sdk::Selector& selector) const;
  [[nodiscard]] std::vector<InstanceName> instances(const sdk::Selector& selector) const;
  void read(const InstanceName& name, const std::function<void(LogEntry)>& use) const;

 private:
  void write(const Found& container, Stream& log) const;
  [[nodiscard]] std::string folder(std::uint32_t owner_kind, const std::string& owner) const;
  [[nodiscard]] std::string file(const InstanceName& name) const;
  const Base& base_;
};

}  // namespace davit::docker_plugin
