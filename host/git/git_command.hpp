// GitCommand: runs git by argv on one repository, with an environment in which nothing of the caller's, the
// machine's or the user's configuration can change what it does.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "process/process_runner.hpp"

namespace davit {

class GitCommand {
 public:
  GitCommand(ProcessRunner& processes, std::string repository)
      : processes_(processes), repository_(std::move(repository)) {}

  /// Captured stdout. A failing git is kFailed with the last lines of its stderr. `env`: added.
  Result<std::string> run(const std::vector<std::string>& args,
                          const std::vector<std::string>& env = {}) const;
  /// As run(), but only the exit code, for questions such as `rev-parse --verify -q`.
  Result<int> ask(const std::vector<std::string>& args) const;
  /// The command line for others to run.
  [[nodiscard]] Command command(const std::vector<std::string>& args,
                                const std::vector<std::string>& env = {}) const;
  [[nodiscard]] const std::string& repository() const { return repository_; }

 private:
  ProcessRunner& processes_;
  std::string repository_;
};

inline constexpr std::string_view kZeroId = "0000000000000000000000000000000000000000";

/// 40 lower-case hex digits.
bool is_object_id(std::string_view text);

}  // namespace davit
