// A process as the journal knows it: pid alone would be mistaken for a later one.
#include "lifecycle/identity.hpp"

#include <fmt/format.h>
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
  const auto pid = static_cast<std::int32_t>(getpid());
  return ProcessIdentity{boot_id(), pid, start_time_ticks(pid)};
}

bool is_alive(const ProcessIdentity& process) {
  if (process.boot_id != boot_id()) return false;
  const auto started = start_time_ticks(process.pid);
  return started != 0 && started == process.start_time_ticks;
}

}  // namespace davit
