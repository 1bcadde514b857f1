// The birth of s6-svscan: from any process, a git hook included, without a trace of that process in it.
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "process/batch.h"
#include "supervise/tree.hpp"

namespace davit::detail {
namespace {

struct Prepared {
  std::vector<char*> argv;
  const char* cwd;
  int null_fd;
  int log_fd;
  int ready_fd;
};

// After fork: system calls only.
[[noreturn]] void become(const Prepared& prepared) {
  davit_take_turns();  // a deployment may have found the tree down
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int high[] = {::fcntl(prepared.null_fd, F_DUPFD_CLOEXEC, 10),
                      ::fcntl(prepared.log_fd, F_DUPFD_CLOEXEC, 10),
                      ::fcntl(prepared.ready_fd, F_DUPFD_CLOEXEC, 10)};
  ::dup2(high[0], 0);
  ::dup2(high[1], 1);
  ::dup2(high[1], 2);
  ::dup2(high[2], 3);
  ::close_range(4, ~0U, 0);
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  ::umask(077);
  if (::chdir(prepared.cwd) != 0) ::_exit(111);
  char path[] = "PATH=/usr/bin:/bin";
  char* const environment[] = {path, nullptr};  // nothing of the caller's: a hook's has GIT_DIR and worse
  ::execve(prepared.argv[0], prepared.argv.data(), environment);
  ::_exit(127);
}

}  // namespace

Result<> spawn_detached(const std::vector<std::string>& argv, const std::string& cwd, int log_fd,
                        int ready_fd) {
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null.valid()) return fail(system_error("open /dev/null", errno));
  Prepared prepared{{}, cwd.c_str(), null.get(), log_fd, ready_fd};
  for (const auto& word : argv) prepared.argv.push_back(const_cast<char*>(word.c_str()));
  prepared.argv.push_back(nullptr);
  const pid_t middle = ::fork();
  if (middle < 0) return fail(system_error("fork", errno));
  if (middle == 0) {
    ::setsid();
    const pid_t child = ::fork();
    if (child == 0) become(prepared);
    ::_exit(child < 0 ? 1 : 0);
  }
  int status = 0;
  while (::waitpid(middle, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) return fail(Code::kUnavailable, "cannot fork");
  return {};
}

}  // namespace davit::detail
