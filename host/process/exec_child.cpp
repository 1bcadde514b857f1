// Between fork and exec.
#include "process/exec_child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/text.hpp"
#include "process/unique_fd.hpp"

namespace davit::detail {
namespace {

enum Step : int { kStepSession, kStepDirectory, kStepFds, kStepDrop, kStepExec };
const char* const kStepNames[] = {"cannot make a session for", "cannot enter the working directory of",
                                  "cannot place the descriptors of", "cannot drop the rights of",
                                  "cannot run"};
struct Report {
  int step;
  int error;
};

std::string_view path_of(const std::vector<std::string>& env) {
  for (const auto& entry : env) {
    if (entry.starts_with("PATH=")) return std::string_view(entry).substr(5);
  }
  return "/usr/bin:/bin";
}

Result<std::string> find_program(const Command& command) {
  const auto& name = command.argv.front();
  if (name.find('/') != std::string::npos) return name;
  bool denied = false;
  for (const auto& folder : split(path_of(command.env), ':')) {
    auto candidate = (folder.empty() ? std::string(".") : folder) + "/" + name;
    struct stat info {};
    if (::stat(candidate.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    denied = true;
  }
  if (denied) return fail(Code::kDenied, fmt::format("{} is not executable", name));
  return fail(Code::kNotFound, fmt::format("program {} is not installed", name),
              fmt::format("Install {} or mend PATH", name), "program-not-found");
}

void reset_signals() {
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &by_default, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace

int drop_to(const RunAs& who) {
  for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EPERM) return errno;
  }
  if (::setgroups(who.groups.size(), who.groups.data()) != 0) return errno;
  if (::setresgid(who.gid, who.gid, who.gid) != 0) return errno;
  if (::setresuid(who.uid, who.uid, who.uid) != 0) return errno;
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  if (::syscall(SYS_capset, &header, none) != 0) return errno;
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  return 0;
}

Result<ExecPlan> ExecPlan::prepare(const Command& command, std::vector<FdMove> moves) {
  const auto has_nul = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  if (command.argv.empty() || command.argv.front().empty()) return fail(Code::kInvalid, "empty command line");
  if (std::ranges::any_of(command.argv, has_nul) || std::ranges::any_of(command.env, has_nul)) {
    return fail(Code::kInvalid,
                fmt::format("NUL byte in the arguments or environment of {}", command.argv.front()));
  }
  ExecPlan plan(command);
  DAVIT_TRY_ASSIGN(plan.program_, find_program(command));
  for (const auto& word : command.argv) plan.argv_.push_back(const_cast<char*>(word.c_str()));
  for (const auto& entry : command.env) plan.env_.push_back(const_cast<char*>(entry.c_str()));
  plan.argv_.push_back(nullptr);
  plan.env_.push_back(nullptr);
  plan.moves_ = std::move(moves);
  for (const auto& pass : command.pass_fds) plan.moves_.push_back({pass.fd, pass.as});
  return plan;
}

Result<pid_t> ExecPlan::launch() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(system_error("pipe", errno));
  UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail(system_error("fork", errno));
  if (pid == 0) child(write_end.get(), parent);
  write_end.reset();
  Report report{};
  ssize_t got = 0;
  do {
    got = ::read(read_end.get(), &report, sizeof report);
  } while (got < 0 && errno == EINTR);
  if (got == static_cast<ssize_t>(sizeof report)) {
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return fail(
        system_error(fmt::format("{} {}", kStepNames[report.step], command_->argv.front()), report.error));
  }
  return pid;
}

int ExecPlan::enter_session() {
  if (command_->new_session) {
    if (::setsid() < 0) return errno;
    if (command_->controlling_tty >= 0 && ::ioctl(command_->controlling_tty, TIOCSCTTY, 0) != 0) return errno;
    return 0;
  }
  if (!command_->keep_group && ::setpgid(0, 0) != 0) return errno;
  return 0;
}

// All sources go up out of the way first, since a target may be the number of another source.
int ExecPlan::place_fds(int& report_fd) {
  int above = 2;
  for (const auto& move : moves_) above = std::max(above, move.to);
  ++above;
  report_fd = ::fcntl(report_fd, F_DUPFD_CLOEXEC, above);
  if (report_fd < 0) return errno;
  for (auto& move : moves_) {
    move.from = ::fcntl(move.from, F_DUPFD_CLOEXEC, above);
    if (move.from < 0) return errno;
  }
  if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return errno;
  for (const auto& move : moves_) {
    if (::dup2(move.from, move.to) < 0) return errno;
  }
  return 0;
}

int ExecPlan::drop_rights() {
  return command_->run_as ? drop_to(*command_->run_as) : 0;
}

void ExecPlan::child(int report_fd, pid_t parent) {
  const auto give_up = [&](Step step, int error) {
    const Report report{step, error};
    [[maybe_unused]] const auto written = ::write(report_fd, &report, sizeof report);
    ::_exit(127);
  };
  reset_signals();
  if (const int error = enter_session(); error != 0) give_up(kStepSession, error);
  if (const int error = place_fds(report_fd); error != 0) give_up(kStepFds, error);
  if (command_->umask_bits >= 0) ::umask(static_cast<mode_t>(command_->umask_bits));
  if (!command_->cwd.empty() && ::chdir(command_->cwd.c_str()) != 0) give_up(kStepDirectory, errno);
  if (const int error = drop_rights(); error != 0) give_up(kStepDrop, error);
  if (command_->death_signal != 0) {  // after the drop, which would clear it
    ::prctl(PR_SET_PDEATHSIG, command_->death_signal, 0, 0, 0);
    if (::getppid() != parent) ::_exit(127);
  }
  ::execve(program_.c_str(), argv_.data(), env_.data());
  give_up(kStepExec, errno);
  ::_exit(127);
}

}  // namespace davit::detail
