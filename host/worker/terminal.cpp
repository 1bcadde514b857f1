// The relay between the user's terminal and the command's pty, in a child process: the worker's main thread
// is busy in a plugin.
#include "worker/terminal.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/pty.hpp"

namespace davit {
namespace {

constexpr StandardFds kOwnFds{0, 1, 2};

pid_t start_relay(const Pty& pty) {
  const pid_t child = fork();
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  int code = 1;
  {
    close(pty.slave.get());
    const auto raw = RawMode::enter(0);
    RelaySpec spec;
    spec.master = pty.master.get();
    if (raw) code = relay(spec) ? 0 : 1;
  }
  _exit(code);
}

}  // namespace

Result<int> with_terminal(bool wanted, const std::function<Result<int>(const StandardFds&, bool)>& body) {
  if (!wanted || isatty(0) == 0 || isatty(1) == 0) return body(kOwnFds, false);
  // A shell's job in the background may not have the terminal. We stand in a group of our own: it is the
  // front's, our parent's, that the shell knows. -1: not our controlling terminal, and nobody minds.
  const pid_t foreground = tcgetpgrp(0);
  if (foreground >= 0 && foreground != getpgid(getppid())) return body(kOwnFds, false);
  const auto size = window_size(0).value_or(WindowSize{});
  DAVIT_TRY_ASSIGN(Pty pty, Pty::open(size));
  const pid_t child = start_relay(pty);
  if (child < 0) return fail(system_error("start the terminal's relay", errno));
  pty.master.reset();
  const int slave = pty.slave.get();
  auto code = body({slave, slave, slave}, true);
  pty.slave.reset();  // the relay sees the end when nobody holds the slave any more
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return code;
}

}  // namespace davit
