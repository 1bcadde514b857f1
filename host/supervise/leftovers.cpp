// Clearing up after a davit-unit that could not do it itself.
#include "supervise/leftovers.hpp"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "process/files.hpp"
#include "process/unique_fd.hpp"

namespace davit::detail {
namespace {

namespace fs = std::filesystem;

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// The session of a live process; 0 for none.
pid_t session_of(const std::string& pid) {
  const auto line = first_line(fs::path("/proc") / pid / "stat");
  const auto after = line.rfind(')');
  if (after == std::string::npos) return 0;
  const auto words = split_words(std::string_view(line).substr(after + 1));  // state parent group session ...
  if (words.size() < 4 || words[0] == "Z" || words[0] == "X") return 0;
  pid_t session = 0;
  std::from_chars(words[3].data(), words[3].data() + words[3].size(), session);
  return session;
}

std::vector<pid_t> members_of(pid_t session) {
  std::vector<pid_t> members;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const auto name = entry.path().filename().native();
    pid_t pid = 0;
    std::from_chars(name.data(), name.data() + name.size(), pid);
    if (pid > 1 && session_of(name) == session) members.push_back(pid);
  }
  return members;
}

}  // namespace

void kill_leftovers(const UnitFiles& unit) {
  const auto state = unit.state();
  if (!state || state->session <= 0) return;
  if (first_line("/proc/sys/kernel/random/boot_id") != state->boot_id) return;
  for (auto members = members_of(state->session); !members.empty(); members = members_of(state->session)) {
    for (const pid_t pid : members) {
      const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
      // Looked at again when we have hold of it: it may have ended, and its pid be another's by now.
      if (!process.valid() || session_of(std::to_string(pid)) != state->session) continue;
      send(process.get(), SIGKILL);
      wait_for_end(process.get(), SystemClock().now_mono_ms() + 1000);
    }
  }
}

void remove_cgroups(const UnitFiles& unit, std::string_view name) {
  std::ifstream recorded(unit.file("cgroups"));  // davit-unit's own, which it could not remove
  for (std::string dir; std::getline(recorded, dir);) ::rmdir(dir.c_str());
  std::error_code error;
  const auto canonical = fs::canonical(unit.folder(), error);  // as getcwd() gave it to davit-unit
  if (error) return;
  const auto group = fmt::format("davit/{:.200}.{:016x}", name, fnv1a(canonical.native()));
  for (const auto* root :
       {"/sys/fs/cgroup", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/pids"}) {
    ::rmdir((fs::path(root) / group).c_str());  // ENOENT is the usual answer
  }
}

}  // namespace davit::detail
