// See runner.hpp.
#include "runner.hpp"

#include <unistd.h>

#include <sstream>

#include "files/files.hpp"

namespace davit::docker_plugin {
namespace {

std::string boot_id() {
  std::string id = files::read_file("/proc/sys/kernel/random/boot_id").value_or("none");
  while (!id.empty() && id.back() == '\n') id.pop_back();
  return id;
}

/// Field 22 of /proc/PID/stat, counted behind the name, which may hold anything; "" if there is no process,
/// or only what nobody has reaped yet.
std::string start_time(const std::string& pid) {
  const std::string stat = files::read_file("/proc/" + pid + "/stat").value_or("");
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream fields(stat.substr(name_end + 1));
  std::string field;
  fields >> field;  // the third: its state
  if (field == "Z" || field == "X") return {};
  for (int n = 4; n <= 22; ++n) fields >> field;
  return field;
}

}  // namespace

std::string this_runner() {
  const std::string pid = std::to_string(getpid());
  return boot_id() + " " + pid + " " + start_time(pid);
}

bool runner_lives(const std::string& runner) {
  std::istringstream fields(runner);
  std::string boot;
  std::string pid;
  std::string began;
  if (!(fields >> boot >> pid >> began)) return true;
  return boot == boot_id() && start_time(pid) == began;
}

}  // namespace davit::docker_plugin
