// Detaching by two forks and a session of its own.
#include "guard/detach.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

namespace davit {
namespace {

Result<std::pair<UniqueFd, UniqueFd>> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(system_error("pipe", errno));
  return std::pair(UniqueFd(ends[0]), UniqueFd(ends[1]));
}

void close_all_but(std::vector<int> kept) {
  std::ranges::sort(kept);
  unsigned from = 3;
  for (const int fd : kept) {
    if (fd < static_cast<int>(from)) continue;
    if (static_cast<unsigned>(fd) > from) ::close_range(from, static_cast<unsigned>(fd) - 1, 0);
    from = static_cast<unsigned>(fd) + 1;
  }
  ::close_range(from, ~0U, 0);
}

void become_detached(const DetachSpec& spec, int null_fd, int log_fd, int done_fd) {
  for (const int signal : {SIGHUP, SIGINT, SIGPIPE}) ::signal(signal, SIG_DFL);
  ::dup2(null_fd, 0);
  ::dup2(log_fd, 1);
  ::dup2(log_fd, 2);
  auto kept = spec.keep_fds;
  kept.push_back(done_fd);
  close_all_but(std::move(kept));
}

Result<UniqueFd> open_log(const DetachSpec& spec) {
  const char* path = spec.log ? spec.log->c_str() : "/dev/null";
  UniqueFd fd(::open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return fail(system_error(fmt::format("open {}", path), errno));
  return fd;
}

}  // namespace

Result<Detached> detach(const DetachSpec& spec) {
  // All that can fail happens before the fork.
  DAVIT_TRY_ASSIGN(auto log, open_log(spec));
  UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!null.valid()) return fail(system_error("open /dev/null", errno));
  DAVIT_TRY_ASSIGN(auto done, make_pipe());
  DAVIT_TRY_ASSIGN(auto pid_pipe, make_pipe());

  const pid_t middle = ::fork();
  if (middle < 0) return fail(system_error("fork", errno));
  if (middle == 0) {
    ::setsid();
    const pid_t pid = ::fork();
    if (pid !=
        0) {  // tells the viewer the pid and leaves: the detached side has no parent of ours, so no zombie
      [[maybe_unused]] const auto written = ::write(pid_pipe.second.get(), &pid, sizeof pid);
      ::_exit(pid < 0 ? 1 : 0);
    }
    become_detached(spec, null.get(), log.get(), done.second.get());
    // What close_all_but has closed must not be closed again by its owners.
    for (UniqueFd* closed : {&log, &null, &done.first, &pid_pipe.first, &pid_pipe.second})
      (void)closed->release();
    Detached detached;
    detached.detached_side = true;
    detached.pid = ::getpid();
    detached.done = std::move(done.second);
    return detached;
  }
  pid_pipe.second.reset();
  Detached viewer;
  const auto got = ::read(pid_pipe.first.get(), &viewer.pid, sizeof viewer.pid);
  while (::waitpid(middle, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (got != static_cast<ssize_t>(sizeof viewer.pid) || viewer.pid < 0)
    return fail(Code::kUnavailable, "cannot fork");
  viewer.viewer = std::move(done.first);
  return viewer;
}

}  // namespace davit
