// See program.hpp. By argv only, never through a shell.
#include "program.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace davit::downloads {
namespace {

constexpr const char* kDefaultPath = "/usr/local/bin:/usr/bin:/bin";

std::vector<char*> argv_of(const std::string& name, const Words& arguments) {
  std::vector<char*> argv{const_cast<char*>(name.c_str())};
  for (const std::string& word : arguments) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  return argv;
}

[[noreturn]] void be_child(const std::string& program, const Words& arguments, const std::string& out,
                           pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);
  signal(SIGPIPE, SIG_DFL);
  const int fd = open(out.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0) _exit(127);
  execv(program.c_str(), argv_of(program, arguments).data());
  _exit(127);
}

}  // namespace

std::string find_real(const std::string& name) {
  struct stat self {};
  stat("/proc/self/exe", &self);
  const char* value = std::getenv("PATH");
  std::string_view path = value != nullptr ? value : kDefaultPath;
  while (true) {
    const std::string folder(path.substr(0, path.find(':')));
    const std::string file = (folder.empty() ? "." : folder) + "/" + name;
    struct stat facts {};
    const bool is_program =
        stat(file.c_str(), &facts) == 0 && S_ISREG(facts.st_mode) && access(file.c_str(), X_OK) == 0;
    if (is_program && (facts.st_dev != self.st_dev || facts.st_ino != self.st_ino)) return file;
    if (folder.size() >= path.size()) return {};
    path.remove_prefix(folder.size() + 1);
  }
}

int run_program(const std::string& program, const Words& arguments, const std::string& out) {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return 127;
  if (child == 0) be_child(program, arguments, out, parent);
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return 127;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int become_program(const std::string& program, const std::string& name, const Words& arguments) {
  signal(SIGPIPE, SIG_DFL);
  if (!program.empty()) execv(program.c_str(), argv_of(name, arguments).data());
  const int code = program.empty() || errno == ENOENT ? 127 : 126;
  const std::string text =
      name + ": " + (program.empty() ? "command not found" : std::strerror(errno)) + "\n";
  (void)!write(STDERR_FILENO, text.data(), text.size());
  return code;
}

}  // namespace davit::downloads
