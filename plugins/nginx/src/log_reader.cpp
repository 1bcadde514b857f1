// See log_reader.hpp.
#include "log_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <charconv>
#include <chrono>
#include <deque>
#include <filesystem>
#include <fstream>
#include <thread>

#include "davit/failure.hpp"
#include "files/files.hpp"

namespace davit::nginx {
namespace fs = std::filesystem;
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(250);  // a file tells nobody that it has grown
constexpr std::streamoff kLongestTail = 4 * 1024 * 1024;

std::string own_name(const Engine& engine, const std::string& app, const char* key) {
  const auto inputs = engine.inputs(app);
  const auto found = inputs.properties.find(key);
  return found == inputs.properties.end() ? std::string() : found->second;
}

// Not open if there is none. The folder is the workers', who could have us read anything by a link; it is
// looked at before it is opened, for a pipe or a device may wait.
std::ifstream open_log(const std::string& path) {
  const files::Descriptor found(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (found.get() < 0) return {};
  struct stat kind {};
  if (::fstat(found.get(), &kind) != 0 || !S_ISREG(kind.st_mode)) {
    throw sdk::Failure(DAVIT_DENIED, "log-not-a-file", path + " is not a regular file, and is not read",
                       "remove it, then davit nginx:reload: nginx begins a new one");
  }
  return std::ifstream("/proc/self/fd/" + std::to_string(found.get()), std::ios::binary);
}

std::deque<std::string> last_lines(std::ifstream& file, const LogSource& source, std::size_t most) {
  std::deque<std::string> last;
  file.seekg(0, std::ios::end);
  const auto size = static_cast<std::streamoff>(file.tellg());
  file.seekg(std::max<std::streamoff>(0, size - kLongestTail));
  std::string line;
  if (size > kLongestTail) std::getline(file, line);  // the rest of a line
  while (std::getline(file, line)) {
    if (source.wanted && !source.wanted(line)) continue;
    last.push_back(line);
    if (last.size() > most) last.pop_front();
  }
  file.clear();
  return last;
}

void show_lines(const sdk::Call& call, const LogSource& source, std::ifstream& file) {
  std::string line;
  while (std::getline(file, line)) {
    if (!source.wanted || source.wanted(line)) call.result_line(line);
  }
  file.clear();
}

// `older`: a log that has just been begun anew, or come along with a renamed app, has its past there.
void show_past(const sdk::Call& call, const LogSource& source, std::ifstream& older, std::ifstream& file,
               std::size_t lines) {
  if (lines == 0) {
    show_lines(call, source, older);
    return show_lines(call, source, file);
  }
  const auto last = last_lines(file, source, lines);
  if (last.size() < lines) {
    for (const auto& text : last_lines(older, source, lines - last.size())) call.result_line(text);
  }
  for (const auto& text : last) call.result_line(text);
}

}  // namespace

LogSource access_log(const Engine& engine, const std::string& app) {
  const auto name = own_name(engine, app, "access-log-path");
  if (name == "off") {
    throw sdk::Failure(DAVIT_NOT_FOUND, "log-off", "the access log of " + app + " is off",
                       "davit nginx:set " + app + " access-log-path switches it on again");
  }
  return {engine.settings().access_logs + "/" + (name.empty() ? app + "-access.log" : name), {}};
}

LogSource error_log(const Engine& engine, const std::string& app) {
  const auto& logs = engine.settings().logs;
  if (app.empty()) return {logs + "/error.log", {}};
  const auto route = engine.route_of(app);
  if (route && !route->shared) {
    const auto name = own_name(engine, app, "error-log-path");
    return {logs + "/" + (name.empty() ? app + "-error.log" : name), {}};
  }
  auto hosts = route ? route->hosts : std::vector<std::string>();
  return {logs + "/error.log", [hosts](const std::string& line) {
            for (const auto& host : hosts) {
              const auto name = host.rfind("*", 0) == 0 ? host.substr(1) : "host: \"" + host;
              if (line.find(name) != std::string::npos) return true;
            }
            return false;
          }};
}

void show_log(const sdk::Call& call, const LogSource& source, std::size_t lines, bool follow) {
  std::ifstream file = open_log(source.path);
  std::ifstream older = open_log(source.path + ".1");
  show_past(call, source, older, file, lines);
  while (follow && !call.cancelled()) {
    std::this_thread::sleep_for(kLookEvery);
    std::error_code error;
    const auto size = fs::file_size(source.path, error);
    if (!file.is_open() ||
        (!error && static_cast<std::streamoff>(size) < static_cast<std::streamoff>(file.tellg()))) {
      file = open_log(source.path);  // not there yet, or begun anew
      if (!file.is_open()) continue;
    }
    show_lines(call, source, file);
  }
}

std::size_t lines_wanted(const std::optional<std::string>& flag, std::size_t fallback) {
  if (!flag || flag->empty()) return fallback;
  std::size_t lines = 0;
  const auto parsed = std::from_chars(flag->data(), flag->data() + flag->size(), lines);
  if (parsed.ec != std::errc() || parsed.ptr != flag->data() + flag->size()) {
    throw sdk::Failure(DAVIT_INVALID, "bad-flag", "-n needs a number of lines, not \"" + *flag + "\"");
  }
  return lines;
}

}  // namespace davit::nginx
