// What happens between fork and exec, prepared before the fork so that the child only makes system calls.
// Private to this room.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.hpp"
#include "process/process_runner.hpp"

namespace davit::detail {

/// One descriptor of the child. `from` is ours.
struct FdMove {
  int from = -1;
  int to = -1;
};

/// Everything the child needs, as plain pointers into `command` and itself. Lives on the parent's stack over
/// the fork.
class ExecPlan {
 public:
  /// Finds the program (kNotFound, kDenied). `moves` are the child's descriptors, 0-2 included.
  static Result<ExecPlan> prepare(const Command& command, std::vector<FdMove> moves);

  /// Forks, execs, and returns the pid when exec has happened. Errors name the step that failed.
  Result<pid_t> launch();

 private:
  explicit ExecPlan(const Command& command) : command_(&command) {}
  [[noreturn]] void child(int report_fd, pid_t parent);
  int enter_session();
  int place_fds(int& report_fd);
  int drop_rights();

  const Command* command_;
  std::string program_;
  std::vector<char*> argv_;
  std::vector<char*> env_;
  std::vector<FdMove> moves_;
};

/// setgroups, setgid, setuid, no-new-privs, no capabilities; async-signal-safe. 0 or an errno value.
int drop_to(const RunAs& who);

}  // namespace davit::detail
