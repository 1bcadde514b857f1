// Reads the process's own state from /proc and libc.
#include "plugin/conformance_state.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <clocale>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

namespace davit {
namespace {

namespace fs = std::filesystem;

std::size_t count_threads() {
  std::error_code error;
  std::size_t count = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc/self/task", error)) {
    (void)entry;
    ++count;
  }
  return count;
}

std::map<int, std::string> open_fds() {
  std::vector<std::string> names;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc/self/fd", error)) {
    names.push_back(entry.path().string());
  }
  std::map<int, std::string> fds;
  for (const std::string& name : names) {
    const fs::path target = fs::read_symlink(name, error);
    if (!error)
      fds[std::stoi(name.substr(name.rfind('/') + 1))] = target.string();  // else: the iterator's own
  }
  return fds;
}

std::string child_pids() {
  std::string pids;
  std::error_code error;
  for (const fs::directory_entry& thread : fs::directory_iterator("/proc/self/task", error)) {
    std::ifstream file(thread.path() / "children");  // absent in kernels without CONFIG_PROC_CHILDREN
    std::string line;
    if (std::getline(file, line)) pids += line;
  }
  return pids;
}

}  // namespace

ProcessState ProcessState::now() {
  ProcessState state;
  state.threads = count_threads();
  state.fds = open_fds();
  state.children = child_pids();
  std::error_code error;
  state.cwd = fs::current_path(error).string();
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    state.environment.append(*variable).push_back('\n');
  }
  const char* locale = std::setlocale(LC_ALL, nullptr);
  state.locale = locale == nullptr ? "" : locale;
  state.umask_bits = ::umask(077);
  ::umask(state.umask_bits);
  for (int number = 1; number < 32; ++number) {
    struct sigaction action {};
    ::sigaction(number, nullptr, &action);
    state.signal_handlers.push_back(reinterpret_cast<void*>(action.sa_handler));
  }
  return state;
}

std::vector<std::string> ProcessState::changes_since(const ProcessState& before) const {
  std::vector<std::string> changes;
  if (threads > before.threads) {
    changes.push_back(std::to_string(threads - before.threads) + " thread(s) left running after stop()");
  }
  for (const auto& [number, target] : fds) {
    const auto old = before.fds.find(number);
    if (old == before.fds.end()) changes.push_back("file descriptor left open: " + target);
    if (old != before.fds.end() && old->second != target)
      changes.push_back("file descriptor replaced: " + target);
  }
  for (const auto& [number, target] : before.fds) {
    if (!fds.contains(number))
      changes.push_back("a file descriptor that is not the plugin's was closed: " + target);
  }
  if (children != before.children) changes.push_back("a child process left running after stop()");
  if (cwd != before.cwd) changes.push_back("the working directory was changed to " + cwd);
  if (environment != before.environment) changes.push_back("the environment was changed");
  if (locale != before.locale) changes.push_back("the locale was changed to " + locale);
  if (umask_bits != before.umask_bits) changes.push_back("the umask was changed");
  for (std::size_t i = 0; i < signal_handlers.size() && i < before.signal_handlers.size(); ++i) {
    if (signal_handlers[i] != before.signal_handlers[i]) {
      changes.push_back("the handler of signal " + std::to_string(i + 1) + " was changed");
    }
  }
  return changes;
}

ProcessState settled_state(std::size_t threads) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
  while (count_threads() > threads && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return ProcessState::now();
}

}  // namespace davit
