// Reads the command line; see options.hpp.
#include "options.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace davit::sandbox {
namespace {

std::uint64_t number(std::string_view option, const char* text) {
  char* end = nullptr;
  errno = 0;
  const unsigned long long value = std::strtoull(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0') die("not a number for " + std::string(option) + ": " + text);
  return value;
}

bool set_switch(Options& options, std::string_view name) {
  if (name == "--tty") return options.tty = true;
  if (name == "--sandboxed") return options.sandboxed = true;
  if (name == "--lifeline") return options.lifeline = true;
  if (name == "--read-only" && !options.inner.empty()) return options.inner.back().read_only = true;
  return false;
}

void set_user(Options& options, std::string_view name, const char* value) {
  options.has_user = true;
  if (name == "--uid") options.uid = static_cast<uid_t>(number(name, value));
  if (name == "--gid") options.gid = static_cast<gid_t>(number(name, value));
}

bool set_inner(Options& options, std::string_view name, const char* value) {
  if (name == "--around") options.inner.emplace_back();
  std::string InnerMount::*field = name == "--around"   ? &InnerMount::around
                                   : name == "--folder" ? &InnerMount::folder
                                   : name == "--target" ? &InnerMount::target
                                   : name == "--source" ? &InnerMount::source
                                                        : nullptr;
  if (field == nullptr || options.inner.empty()) return false;
  options.inner.back().*field = value;
  return true;
}

void set_value(Options& options, std::string_view name, const char* value) {
  if (set_inner(options, name, value)) return;
  if (name == "--uid" || name == "--gid") return set_user(options, name, value);
  if (name == "--pid") {
    options.pid = static_cast<pid_t>(number(name, value));
  } else if (name == "--instance") {
    options.instance = value;
  } else if (name == "--cwd") {
    options.cwd = value;
  } else if (name == "--cgroup") {
    options.cgroup = value;
  } else if (name == "--memory") {
    options.memory_bytes = number(name, value);
  } else if (name == "--pids") {
    options.pids = number(name, value);
  } else if (name == "--cpu") {
    options.cpu_millis = number(name, value);
  } else if (name == "--open-files") {
    options.open_files = number(name, value);
  } else if (name == "--file-bytes") {
    options.file_bytes = number(name, value);
  } else if (name == "--stop-timeout") {
    options.stop_timeout_ms = number(name, value);
  } else {
    die("unknown option " + std::string(name));
  }
}

}  // namespace

void say(const std::string& text) {
  const std::string line = "davit-sandbox: " + text + "\n";
  if (write(STDERR_FILENO, line.data(), line.size()) < 0) return;  // nobody listens: the exit code has to do
}

void die(const std::string& what) {
  say(what);
  _exit(kExitOurs);
}

void die_errno(const std::string& what) {
  const int error = errno;
  die(what + ": " + std::strerror(error));
}

Options parse_options(int argc, char** argv) {
  if (argc < 2) die("this is a part of davit's process plugin, not a command");
  Options options;
  options.mode = argv[1];
  int i = 2;
  while (i < argc && std::string_view(argv[i]) != "--") {
    if (set_switch(options, argv[i])) {
      ++i;
      continue;
    }
    if (i + 1 >= argc) die("no value for " + std::string(argv[i]));
    set_value(options, argv[i], argv[i + 1]);
    i += 2;
  }
  for (++i; i < argc; ++i) options.argv.push_back(argv[i]);
  options.argv.push_back(nullptr);
  return options;
}

}  // namespace davit::sandbox
