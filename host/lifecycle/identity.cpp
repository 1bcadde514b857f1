// A process as the journal knows it: pid alone would be mistaken for a later one.
#include "lifecycle/identity.hpp"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "base/text.hpp"

namespace davit {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Field 22 of /proc/PID/stat; the second field is in parentheses and may hold blanks. 0: no such process.
std::uint64_t start_time_ticks(std::int32_t pid) {
  const std::string line = first_line(fmt::format("/proc/{}/stat", pid));
  const auto close = line.rfind(')');
  if (close == std::string::npos) return 0;
  const auto words = split_words(line.substr(close + 1));
  constexpr std::size_t kStartTime = 19;  // field 22, counted from field 3
  if (words.size() <= kStartTime || words[0] == "Z" || words[0] == "X") return 0;
  return std::strtoull(words[kStartTime].c_str(), nullptr, 10);
}

std::string boot_id() {
  return first_line("/proc/sys/kernel/random/boot_id");
}

}  // namespace

Result<ProcessIdentity> own_identity() {
  return identity_of(getpid());
}

Result<ProcessIdentity> identity_of(pid_t pid) {
  const auto started = start_time_ticks(pid);
  if (started == 0) return fail(Code::kNotFound, fmt::format("there is no process {}", pid));
  return ProcessIdentity{boot_id(), pid, started};
}

bool is_alive(const ProcessIdentity& process) {
  if (process.boot_id != boot_id()) return false;
  const auto started = start_time_ticks(process.pid);
  return started != 0 && started == process.start_time_ticks;
}

UniqueFd open_process(const ProcessIdentity& process) {
  if (process.pid <= 0) return {};
  UniqueFd handle(static_cast<int>(syscall(SYS_pidfd_open, process.pid, 0)));
  // Looked at when we have hold of it: before, the pid could have become another's.
  if (handle.valid() && is_alive(process)) return handle;
  return {};
}

}  // namespace davit
