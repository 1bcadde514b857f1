// LogViewer: shows a deployment's log as it grows. It has no part in the deployment: when it goes away,
// nothing stops.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/call_context.hpp"
#include "base/clock.hpp"
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

  /// Until then, while the log says nothing for so long, a line of ours does: "still building, 40 s". `doing`
  /// is asked each time.
  void tell_of_silence(std::function<std::string()> doing, std::int64_t every_ms = 10'000) {
    doing_ = std::move(doing);
    silence_ms_ = every_ms;
  }

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
  void tell_if_silent();
  [[nodiscard]] int wait_ms() const;

  std::filesystem::path log_;
  const CallContext& context_;
  std::uint64_t offset_ = 0;
  std::string partial_;
  std::string tail_;  ///< the last lines, some KiB
  std::function<std::string()> doing_;
  std::int64_t silence_ms_ = 0;
  SystemClock clock_;
  MonoMs began_ms_ = 0, shown_ms_ = 0;
};

}  // namespace davit
