// The mode `join`: a program inside a running instance; see modes.hpp. What `nsenter` cannot do in one go:
// user namespaces in the order that bwrap made them, the app user, the instance's environment, a terminal.
#include <fcntl.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <string>
#include <vector>

#include "become.hpp"
#include "modes.hpp"

namespace davit::sandbox {
namespace {

std::string proc(pid_t pid, const char* what) {
  return "/proc/" + std::to_string(pid) + "/" + what;
}

int open_namespace(pid_t pid, const char* name) {
  const int fd = open(proc(pid, name).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) die_errno(std::string("the instance's ") + name);
  return fd;
}

bool same_file(int left, int right) {
  struct stat a {};
  struct stat b {};
  return fstat(left, &a) == 0 && fstat(right, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

void enter_namespace(int fd, int kind, const char* name) {
  if (setns(fd, kind) != 0) die_errno(std::string("enter the instance's ") + name);
}

/// Empty while an exec is under way, and for a process that has ended. By read(), since a stream throws when
/// the process goes away under it.
std::vector<std::string> environment_of(pid_t pid) {
  const int fd = open(proc(pid, "environ").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) die("the instance is not running");
  std::string bytes;
  char buffer[4096];
  ssize_t got = 0;
  while ((got = read(fd, buffer, sizeof buffer)) > 0) bytes.append(buffer, static_cast<std::size_t>(got));
  close(fd);
  std::vector<std::string> found;
  for (std::size_t begin = 0; begin < bytes.size();) {
    const std::size_t end = bytes.find('\0', begin);
    found.push_back(bytes.substr(begin, end - begin));
    if (end == std::string::npos) break;
    begin = end + 1;
  }
  return found;
}

/// The environment of the instance's first process, once it has become what it is to be: before that it is a
/// fork of its parent, then a program whose variables carry their prefix. What never becomes it has been
/// given the pid since.
std::vector<std::string> instance_environment(const Options& options) {
  constexpr int kStepMs = 10;
  constexpr int kLongestMs = 10'000;
  const std::string mark = "DAVIT_INSTANCE=" + options.instance;
  for (int waited_ms = 0; waited_ms < kLongestMs; waited_ms += kStepMs) {
    const std::vector<std::string> environment = environment_of(options.pid);
    if (std::ranges::find(environment, mark) != environment.end()) return environment;
    poll(nullptr, 0, kStepMs);  // an exec in another process is no event that we could wait for
  }
  die("the instance " + options.instance + " is not running");
}

/// The kernel counts what runs here with the instance. Best effort: a task without it is only uncounted.
void join_cgroups(pid_t pid) {
  std::ifstream table(proc(pid, "cgroup"));
  std::string line;
  while (std::getline(table, line)) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string folder = "/sys/fs/cgroup" + (controllers.empty() ? "" : "/" + controllers);
    const std::string path = folder + line.substr(second + 1) + "/cgroup.procs";
    const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) continue;
    if (write(fd, "0", 1) < 0) errno = 0;
    close(fd);
  }
}

/// bwrap makes one user namespace that owns the mounts, and as a normal user a second one inside it.
void enter_namespaces(pid_t pid) {
  const int own_user = open_namespace(getpid(), "ns/user");
  const int inner_user = open_namespace(pid, "ns/user");
  const int mounts = open_namespace(pid, "ns/mnt");
  const int pids = open_namespace(pid, "ns/pid");
  const int ipc = open_namespace(pid, "ns/ipc");
  const int uts = open_namespace(pid, "ns/uts");
  const int network = open_namespace(pid, "ns/net");
  const int own_network = open_namespace(getpid(), "ns/net");
  const int owner = ioctl(mounts, NS_GET_USERNS);
  if (owner < 0) die_errno("the instance's user namespace");
  if (!same_file(owner, own_user)) enter_namespace(owner, CLONE_NEWUSER, "user namespace");
  enter_namespace(ipc, CLONE_NEWIPC, "ipc namespace");
  enter_namespace(uts, CLONE_NEWUTS, "uts namespace");
  if (!same_file(network, own_network)) enter_namespace(network, CLONE_NEWNET, "network namespace");
  enter_namespace(pids, CLONE_NEWPID, "pid namespace");
  enter_namespace(mounts, CLONE_NEWNS, "mounts");
  if (!same_file(inner_user, owner)) enter_namespace(inner_user, CLONE_NEWUSER, "user namespace");
}

int forward_until_end(pid_t child, int signals) {
  for (;;) {
    signalfd_siginfo info{};
    if (read(signals, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) continue;
    if (info.ssi_signo != SIGCHLD) {
      kill(-child, static_cast<int>(info.ssi_signo));
      continue;
    }
    int status = 0;
    if (waitpid(child, &status, WNOHANG) != child) continue;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
}

}  // namespace

int run_join(const Options& options) {
  const std::vector<std::string> environment = merged(instance_environment(options), prefixed_environment());
  join_cgroups(options.pid);
  if (options.sandboxed) enter_namespaces(options.pid);

  sigset_t watched;
  sigset_t old_mask;
  sigemptyset(&watched);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGCHLD}) sigaddset(&watched, signal);
  if (sigprocmask(SIG_BLOCK, &watched, &old_mask) != 0) die_errno("sigprocmask");
  const int signals = signalfd(-1, &watched, SFD_CLOEXEC);
  if (signals < 0) die_errno("signalfd");

  const pid_t child = fork();  // only a child is inside the pid namespace
  if (child < 0) die_errno("fork");
  if (child == 0) {
    if (sigprocmask(SIG_SETMASK, &old_mask, nullptr) != 0) die_errno("sigprocmask");
    setsid();
    if (options.tty) take_terminal();
    hand_over_stdio(options);
    apply_rlimits(options);
    drop_privileges(options);
    if (!options.cwd.empty() && chdir(options.cwd.c_str()) != 0) die_errno("folder " + options.cwd);
    execute(options.argv, environment);
  }
  return forward_until_end(child, signals);
}

}  // namespace davit::sandbox
