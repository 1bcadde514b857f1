// Limits, terminal, user, environment, exec; see become.hpp.
#include "become.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

extern char** environ;

namespace davit::sandbox {
namespace {

std::string_view key_of(std::string_view entry) {
  return entry.substr(0, entry.find('='));
}

void limit(int what, std::uint64_t value, const char* name) {
  if (value == 0) return;
  rlimit now{};
  if (getrlimit(static_cast<__rlimit_resource_t>(what), &now) != 0) die_errno(name);
  // A limit that is lower already stays: only root could raise it, and a plain user's must not fail for it.
  const rlim_t wanted = now.rlim_max == RLIM_INFINITY || value < now.rlim_max ? value : now.rlim_max;
  const rlimit next{wanted, wanted};
  if (setrlimit(static_cast<__rlimit_resource_t>(what), &next) != 0) die_errno(name);
}

void drop_capabilities() {
  for (unsigned capability = 0; capability < 64; ++capability) {
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno == EINVAL)
      break;  // EPERM: no right, no loss
  }
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

void clear_capability_sets() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  if (syscall(SYS_capset, &header, none) != 0) die_errno("capset");
}

void change_user(const Options& options) {
  if (options.uid == getuid() && options.uid == geteuid() && options.gid == getgid()) return;
  if (setgroups(0, nullptr) != 0) die_errno("setgroups");
  if (setresgid(options.gid, options.gid, options.gid) != 0) die_errno("setresgid");
  if (setresuid(options.uid, options.uid, options.uid) != 0) die_errno("setresuid");
  if (setuid(0) == 0 && options.uid != 0) die("the user was not dropped for good");
}

}  // namespace

std::vector<std::string> prefixed_environment() {
  constexpr std::string_view prefix = kEnvPrefix;
  std::vector<std::string> found;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (text.substr(0, prefix.size()) == prefix) found.emplace_back(text.substr(prefix.size()));
  }
  return found;
}

std::vector<std::string> merged(std::vector<std::string> base, const std::vector<std::string>& more) {
  for (const std::string& entry : more) {
    bool replaced = false;
    for (std::string& old : base) {
      if (key_of(old) != key_of(entry)) continue;
      old = entry;
      replaced = true;
    }
    if (!replaced) base.push_back(entry);
  }
  return base;
}

void hand_over_stdio(const Options& options) {
  if (!options.has_user || options.uid == geteuid()) return;
  for (int fd = 0; fd < 3; ++fd) {
    struct stat facts {};
    if (fstat(fd, &facts) != 0) continue;
    const bool ours_to_give = S_ISFIFO(facts.st_mode) || (S_ISCHR(facts.st_mode) && isatty(fd) == 1);
    if (ours_to_give && fchown(fd, options.uid, options.gid) != 0) continue;  // only /dev/stdout suffers
  }
}

void apply_rlimits(const Options& options) {
  limit(RLIMIT_NOFILE, options.open_files, "RLIMIT_NOFILE");
  limit(RLIMIT_FSIZE, options.file_bytes, "RLIMIT_FSIZE");
}

void take_terminal() {
  if (setsid() < 0 && errno != EPERM) die_errno("setsid");  // EPERM: bwrap --new-session did it
  if (ioctl(STDIN_FILENO, TIOCSCTTY, 0) != 0) die_errno("take the terminal");
}

void drop_privileges(const Options& options) {
  drop_capabilities();
  if (options.has_user) change_user(options);
  clear_capability_sets();
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) die_errno("no_new_privs");
  // The kernel forgets this at a change of user, and whoever started us counts on it.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) die_errno("pdeathsig");
}

void execute(const std::vector<char*>& argv, const std::vector<std::string>& environment) {
  if (argv.empty() || argv.front() == nullptr) die("no program given");
  std::vector<char*> entries;
  entries.reserve(environment.size() + 1);
  for (const std::string& entry : environment) entries.push_back(const_cast<char*>(entry.c_str()));
  entries.push_back(nullptr);
  environ = entries.data();
  execvp(argv.front(), argv.data());
  const int error = errno;
  const std::string line = std::string(argv.front()) + ": " + std::strerror(error) + "\n";
  if (write(STDERR_FILENO, line.data(), line.size()) < 0) _exit(kExitNotExecutable);
  _exit(error == ENOENT ? kExitNotFound : kExitNotExecutable);
}

}  // namespace davit::sandbox
