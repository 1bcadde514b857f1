// The mode `task`: see modes.hpp.
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

#include "become.hpp"
#include "cgroup.hpp"
#include "modes.hpp"

extern char** environ;

namespace davit::sandbox {
namespace {

constexpr int kInfoFd = 9;

std::int64_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

class TaskRun {
 public:
  explicit TaskRun(const Options& options) : options_(options), group_(options) {}

  int run() {
    prepare();
    start();
    wait_for_end();
    kill_rest();
    if (group_.out_of_memory()) say("the task was ended because it needed more than its memory limit");
    group_.remove();
    return WIFSIGNALED(status_) ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_);
  }

 private:
  void prepare() {
    // Whoever started us counts on everything ending with it. Not SIGKILL: the program would outlive us,
    // since bwrap, which is the next one to die, has no right to signal a process of another user.
    starter_ = getppid();
    if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) != 0) die_errno("pdeathsig");
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) die_errno("subreaper");
    sigset_t watched;
    sigemptyset(&watched);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGCHLD}) sigaddset(&watched, signal);
    if (sigprocmask(SIG_BLOCK, &watched, &old_mask_) != 0) die_errno("sigprocmask");
    signals_ = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals_ < 0) die_errno("signalfd");
    if (!options_.sandboxed) return;
    if (pipe2(info_, O_CLOEXEC) != 0 || pipe2(lifeline_, O_CLOEXEC) != 0) die_errno("pipe");
  }

  void start() {
    child_ = fork();
    if (child_ < 0) die_errno("fork");
    if (child_ == 0) become_program();
    if (!options_.sandboxed) return;
    close(info_[1]);
    close(lifeline_[0]);  // the other end is ours till we die
  }

  [[noreturn]] void become_program() {
    // A signal to our own group must not reach it: we pass signals on in order. What gives way to those that
    // answer requests stays in its session, which has a small share of the machine.
    if (sched_getscheduler(0) != SCHED_BATCH || options_.tty || setpgid(0, 0) != 0) setsid();
    group_.enter();
    if (options_.sandboxed)
      become_bwrap();  // with signals blocked, so that none is lost before davit-init is there
    if (sigprocmask(SIG_SETMASK, &old_mask_, nullptr) != 0) die_errno("sigprocmask");
    if (!options_.cwd.empty() && chdir(options_.cwd.c_str()) != 0) die_errno("folder " + options_.cwd);
    hand_over_stdio(options_);
    if (options_.tty) take_terminal();
    apply_rlimits(options_);
    drop_privileges(options_);
    execute(options_.argv, prefixed_environment());
  }

  [[noreturn]] void become_bwrap() {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) die_errno("pdeathsig");
    // Numbers far from the two: neither may be overwritten before it is in its place.
    const int info = fcntl(info_[1], F_DUPFD_CLOEXEC, kInfoFd + 1);
    const int lifeline = fcntl(lifeline_[0], F_DUPFD_CLOEXEC, kInfoFd + 1);
    if (info < 0 || lifeline < 0) die_errno("dup");
    close(lifeline_[1]);  // may be one of the numbers, and must not be open in the sandbox
    if (dup2(info, kInfoFd) < 0 || dup2(lifeline, kLifelineFd) < 0) die_errno("dup2");
    std::vector<std::string> environment;
    for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
    execute(options_.argv, environment);
  }

  void wait_for_end() {
    while (!ended_) {
      pollfd watched[2] = {{signals_, POLLIN, 0}, {options_.sandboxed ? info_[0] : -1, POLLIN, 0}};
      if (poll(watched, 2, remaining_ms()) < 0 && errno != EINTR) die_errno("poll");
      if (watched[1].revents != 0) read_info();
      if (watched[0].revents != 0) read_signals();
      if (stop_at_ms_ != 0 && now_ms() >= stop_at_ms_) kill_all();
    }
  }

  int remaining_ms() const {
    if (stop_at_ms_ == 0) return -1;
    const std::int64_t left = stop_at_ms_ - now_ms();
    return left < 0 ? 0 : static_cast<int>(left);
  }

  void read_info() {
    char buffer[512];
    const ssize_t got = read(info_[0], buffer, sizeof buffer);
    if (got <= 0) {
      close(info_[0]);
      info_[0] = -1;
      return;
    }
    info_text_.append(buffer, static_cast<std::size_t>(got));
    const std::size_t at = info_text_.find("\"child-pid\": ");
    if (at == std::string::npos) return;
    const pid_t pid = std::atoi(info_text_.c_str() + at + std::strlen("\"child-pid\": "));
    // Held on to now, while bwrap waits for it: later its pid could be another's.
    if (pid > 0 && inside_ < 0) inside_ = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    if (getppid() != starter_) return kill_all();
    if (stop_at_ms_ != 0) stop_program(SIGTERM);  // asked to stop before we knew whom
  }

  void read_signals() {
    signalfd_siginfo info{};
    while (read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      if (info.ssi_signo == SIGCHLD) {
        reap();
      } else if (getppid() != starter_) {
        kill_all();
      } else if (stop_at_ms_ == 0) {
        stop_at_ms_ = now_ms() + static_cast<std::int64_t>(options_.stop_timeout_ms);
        stop_program(SIGTERM);
      }
    }
  }

  void reap() {
    int status = 0;
    pid_t pid = 0;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
      if (pid != child_) continue;
      status_ = status;
      ended_ = true;
    }
  }

  /// In a sandbox to its init, which hands it to everyone; else to the program's group.
  void stop_program(int signal) const {
    if (options_.sandboxed) {
      signal_inside(signal);
    } else {
      kill(-child_, signal);
    }
  }

  void signal_inside(int signal) const {
    if (inside_ >= 0) syscall(SYS_pidfd_send_signal, inside_, signal, nullptr, 0);
  }

  void kill_all() {
    signal_inside(SIGKILL);  // pid 1 of its namespace: all of it goes
    kill(options_.sandboxed ? child_ : -child_, SIGKILL);
    stop_at_ms_ = now_ms() + 1000;
  }

  /// Without a pid namespace, processes may have left the group; as their subreaper we get them one by one.
  void kill_rest() const {
    for (;;) {
      const std::string path = "/proc/self/task/" + std::to_string(getpid()) + "/children";
      const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
      if (fd < 0) return;  // a kernel without this list
      char buffer[4096];
      const ssize_t got = read(fd, buffer, sizeof buffer - 1);
      close(fd);
      if (got > 0) kill_listed(buffer, got);
      if (waitpid(-1, nullptr, 0) < 0 && errno == ECHILD) return;
    }
  }

  static void kill_listed(char* text, ssize_t size) {
    text[size] = '\0';
    char* rest = text;
    for (;;) {
      char* end = nullptr;
      const long pid = std::strtol(rest, &end, 10);
      if (end == rest) return;
      if (pid > 1) kill(static_cast<pid_t>(pid), SIGKILL);
      rest = end;
    }
  }

  const Options& options_;
  TaskGroup group_;
  sigset_t old_mask_{};
  int signals_ = -1;
  int info_[2] = {-1, -1};
  int lifeline_[2] = {-1, -1};
  std::string info_text_;
  pid_t starter_ = -1;
  pid_t child_ = -1;
  int inside_ = -1;  ///< pidfd of the sandbox's init
  std::int64_t stop_at_ms_ = 0;
  bool ended_ = false;
  int status_ = 0;
};

}  // namespace

int run_task(const Options& options) {
  return TaskRun(options).run();
}

}  // namespace davit::sandbox
