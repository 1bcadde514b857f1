// Clearing up after a davit-unit that could not do it itself.
#include "supervise/leftovers.hpp"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
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

constexpr std::int64_t kDyingMs = 1000;

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// What /proc says of a process behind its name: state, parent, group, session, ... Empty: there is none.
std::vector<std::string> facts_of(const std::string& pid) {
  const auto line = first_line(fs::path("/proc") / pid / "stat");
  const auto after = line.rfind(')');
  if (after == std::string::npos) return {};
  auto words = split_words(std::string_view(line).substr(after + 1));
  if (words.size() < 20) return {};
  return words;
}

// The session of a live process; 0 for none.
pid_t session_of(const std::string& pid) {
  const auto facts = facts_of(pid);
  if (facts.empty() || facts[0] == "Z" || facts[0] == "X") return 0;
  pid_t session = 0;
  std::from_chars(facts[3].data(), facts[3].data() + facts[3].size(), session);
  return session;
}

// A session's number is free for another process only when the whole session is gone.
bool is_gone(pid_t session, std::uint64_t start) {
  const auto facts = facts_of(std::to_string(session));
  return !facts.empty() && facts[19] != std::to_string(start);
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

Result<> kill_leftovers(const UnitFiles& unit, std::int64_t until_mono_ms) {
  const auto state = unit.state();
  if (!state || state->session <= 0) return {};
  if (first_line("/proc/sys/kernel/random/boot_id") != state->boot_id) return {};
  const SystemClock clock;
  until_mono_ms = std::max(until_mono_ms, clock.now_mono_ms() + kDyingMs);
  while (!is_gone(state->session, state->pid_start)) {
    const auto members = members_of(state->session);
    if (members.empty()) return {};
    for (const pid_t pid : members) {
      const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
      if (!process.valid() && errno != ESRCH && errno != EINVAL) {
        return fail(system_error(fmt::format("open process {}", pid), errno));
      }
      // Looked at again when we have hold of it: it may have ended, and its pid be another's by now.
      if (!process.valid() || session_of(std::to_string(pid)) != state->session) continue;
      send(process.get(), SIGKILL);
      wait_for_end(process.get(), std::min(until_mono_ms, clock.now_mono_ms() + kDyingMs));
    }
    if (clock.now_mono_ms() >= until_mono_ms) {
      return fail(Code::kTimeout, fmt::format("process {} does not die of SIGKILL", members.front()),
                  "It waits in the kernel, for a disk or a mount perhaps; then try again", "unit-lives");
    }
  }
  return {};
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
