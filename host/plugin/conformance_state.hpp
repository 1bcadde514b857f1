// ProcessState: what of a process is not a plugin's to change, as a value to compare before and after.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace davit {

struct ProcessState {
  std::size_t threads = 0;
  std::map<int, std::string> fds;  ///< number, where it leads
  std::string children;            ///< pids, as the kernel lists them
  std::string cwd, environment, locale;
  unsigned umask_bits = 0;
  std::vector<void*> signal_handlers;  ///< by number

  static ProcessState now();
  /// What has changed since `before`, one sentence each: threads left, descriptors leaked, the folder, ...
  [[nodiscard]] std::vector<std::string> changes_since(const ProcessState& before) const;
};

/// now(), once as few threads as `threads` are left or 500 ms have passed: a joined thread stays in /proc for
/// a moment, and there is no event for its going.
ProcessState settled_state(std::size_t threads);

}  // namespace davit
