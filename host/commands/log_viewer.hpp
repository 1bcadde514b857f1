// LogViewer: shows a deployment's log as it grows. It has no part in the deployment: when it goes away,
// nothing stops.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/call_context.hpp"
#include "base/result.hpp"

namespace davit {

struct DoneLine {
  std::string state;  ///< "committed", "undone", "failed", ...
  int exit_code = 1;
};

class LogViewer {
 public:
  LogViewer(std::filesystem::path log, const CallContext& context)
      : log_(std::move(log)), context_(context) {}

  /// Shows what comes until `done_fd` brings its line (then that) or its end (then nothing). -1: shows what
  /// is there and returns.
  Result<std::optional<DoneLine>> follow(int done_fd);

  /// Whether `words` stood in the last lines that were shown.
  [[nodiscard]] bool has_shown(std::string_view words) const {
    return tail_.find(words) != std::string::npos;
  }

 private:
  Result<> show_new();
  void show_line(std::string_view line);

  std::filesystem::path log_;
  const CallContext& context_;
  std::uint64_t offset_ = 0;
  std::string partial_;
  std::string tail_;  ///< the last lines, some KiB
};

}  // namespace davit
