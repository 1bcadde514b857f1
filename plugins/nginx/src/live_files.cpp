// See live_files.hpp.
#include "live_files.hpp"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <thread>

#include "davit/failure.hpp"
#include "files/files.hpp"
#include "log_files.hpp"
#include "render.hpp"

namespace davit::nginx {
namespace fs = std::filesystem;
namespace {

constexpr auto kReloadLimit =
    std::chrono::seconds(60);  // 1000 server blocks of their own take 5 s on a busy machine
constexpr auto kPollEvery = std::chrono::milliseconds(10);

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// A directory that goes away with the object.
class Scratch {
 public:
  explicit Scratch(const std::string& parent) : path_(parent + "/check-XXXXXX") {
    files::make_dirs(parent);
    if (::mkdtemp(path_.data()) == nullptr) {
      throw sdk::Failure(DAVIT_FAILED, "file-not-written", "cannot make a scratch directory below " + parent);
    }
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The lines that say what is wrong, without the time and the process id.
std::string complaint_of(const std::string& output) {
  std::istringstream lines(output);
  std::string line;
  std::string found;
  while (std::getline(lines, line)) {
    const auto emerg = line.find("[emerg] ");
    const auto warn = line.find("conflicting server name");
    if (emerg == std::string::npos && warn == std::string::npos) continue;
    if (!found.empty()) found += "; ";
    auto words = emerg == std::string::npos ? line.substr(warn) : line.substr(emerg + 8);
    if (const auto colon = words.find("#"); colon != std::string::npos) {  // "PID#PID: words"
      if (const auto end = words.find(": ", colon); end != std::string::npos && end - colon < 12) {
        words = words.substr(end + 2);
      }
    }
    found += words;
  }
  return found;
}

}  // namespace

std::vector<std::string> nginx_argv(const Settings& settings, const std::string& prefix,
                                    const std::string& error_log) {
  return {settings.program, "-p", prefix, "-c", prefix + "/nginx.conf", "-e", error_log};
}

std::vector<std::string> start_argv(const Settings& settings) {
  auto argv = nginx_argv(settings, settings.root, settings.logs + "/error.log");
  if (settings.switching == Switching::kSocket) return argv;
  // A killed nginx leaves its socket file, and bind() fails on it. With the lua module boot.lua removes it;
  // without, a fixed line of shell does, and is gone with exec. Values are arguments, not part of the line.
  std::vector<std::string> wrapped = {"/bin/sh", "-c", R"(rm -f -- "$1"; shift; exec "$@")", "nginx",
                                      settings.control};
  wrapped.insert(wrapped.end(), argv.begin(), argv.end());
  return wrapped;
}

namespace {

std::string pid_in(const std::string& pid_file) {
  const auto text = files::read_file(pid_file).value_or("");
  return text.substr(0, std::min(text.find_first_not_of("0123456789"), text.size()));
}

// The file outlives a kill, and its pid may be another's by now, even another nginx's: our own one names our
// root.
bool master_lives(const Settings& settings) {
  const auto pid = pid_in(settings.pid_file);
  if (pid.empty()) return false;
  const auto title = files::read_file("/proc/" + pid + "/cmdline").value_or("");
  const bool ours = settings.mode != Mode::kPrivate || title.find(settings.root) != std::string::npos;
  return ours && title.find("nginx") != std::string::npos;
}

// Every process that the master's one thread started.
std::vector<std::string> children_of_master(const Settings& settings) {
  const auto pid = pid_in(settings.pid_file);
  if (pid.empty()) return {};
  std::istringstream children(files::read_file("/proc/" + pid + "/task/" + pid + "/children").value_or(""));
  return {std::istream_iterator<std::string>(children), {}};
}

std::string title_of(const std::string& pid) {
  return files::read_file("/proc/" + pid + "/cmdline").value_or("");
}

bool takes_connections(const std::string& worker) {
  const auto title = title_of(worker);
  return title.find("worker process") != std::string::npos &&
         title.find("shutting down") == std::string::npos;
}

bool holds(const std::string& pid, const fs::path& file) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc/" + pid + "/fd", error)) {
    std::error_code gone;
    if (fs::read_symlink(entry.path(), gone) == file) return true;
  }
  return false;
}

}  // namespace

void dismiss_orphans(const Settings& settings) {
  if (master_lives(settings)) return;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const auto pid = entry.path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto title = files::read_file(entry.path() / "cmdline").value_or("");
    if (title.rfind("nginx: worker process", 0) != 0) continue;
    // ours are those that write our log
    if (holds(pid, settings.logs + "/error.log")) ::kill(static_cast<pid_t>(std::stol(pid)), SIGQUIT);
  }
}

bool LiveFiles::is_up() {
  if (settings_.mode == Mode::kPrivate && !master_lives(settings_)) return false;
  return control_.status().has_value();
}

bool LiveFiles::has_leaving_workers() const {
  const auto children = children_of_master(settings_);
  return std::ranges::any_of(
      children, [](const auto& child) { return title_of(child).find("shutting down") != std::string::npos; });
}

std::optional<std::string> LiveFiles::read(const std::string& path) const {
  return files::read_file(settings_.root + "/" + path);
}

SharedNeeds LiveFiles::needs_with(const FileChanges& changes) const {
  SharedNeeds needs;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(settings_.root + "/sites", error)) {
    const auto path = "sites/" + entry.path().filename().string();
    if (entry.path().extension() != ".conf" || changes.contains(path)) continue;
    if (const auto text = files::read_file(entry.path())) add_needs(*text, needs);
  }
  for (const auto& [path, text] : changes) {
    if (path.rfind("sites/", 0) == 0 && text) add_needs(*text, needs);
  }
  return needs;
}

FileChanges LiveFiles::difference(const FileChanges& wanted) const {
  FileChanges all = wanted;
  for (auto& [path, text] : render_shared_files(settings_, needs_with(wanted))) all[path] = text;
  std::erase_if(all, [&](const auto& change) { return read(change.first) == change.second; });
  return all;
}

Settings LiveFiles::scratch_settings(const std::string& scratch) const {
  Settings settings = settings_;
  settings.root = settings.logs = settings.run = settings.worker_tmp = scratch;
  settings.pid_file = scratch + "/nginx.pid";
  return settings;
}

void LiveFiles::check(const FileChanges& changes) const {
  const Scratch scratch(settings_.run + "/check");
  const auto& root = scratch.path();
  for (const auto* directory : {"/sites", "/listen", "/apps", "/tmp"}) files::make_dirs(root + directory);
  const auto copy = [&](const std::string& path, std::string text) {
    replace_all(text, settings_.root + "/listen/", root + "/listen/");
    replace_all(text, settings_.logs + "/", root + "/");
    std::error_code ignored;
    fs::create_directories(fs::path(root + "/" + path).parent_path(), ignored);
    files::write_file(root + "/" + path, text);
  };
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(settings_.root + "/sites", error)) {
    const auto path = "sites/" + entry.path().filename().string();
    if (entry.path().extension() != ".conf" || changes.contains(path)) continue;
    if (auto text = files::read_file(entry.path())) copy(path, std::move(*text));
  }
  for (const auto& [path, text] : changes) {
    if (path.rfind("sites/", 0) == 0 && text) copy(path, *text);
  }
  const auto settings = scratch_settings(root);
  for (const auto& [path, text] : render_shared_files(settings, needs_with(changes))) {
    files::write_file(root + "/" + path, text);
  }
  files::write_file(root + "/generation.conf", render_generation(settings));
  fs::create_directory_symlink(settings_.root + "/conf.d", root + "/conf.d", error);

  auto argv = nginx_argv(settings, root, root + "/error.log");
  argv.insert(argv.end(), {"-t", "-q"});
  const auto result = machine_.run(argv);
  auto words = complaint_of(result.output);
  if (result.exit_code == 0 && words.empty()) return;
  if (words.empty()) words = result.output;
  replace_all(words, root, settings_.root);
  throw sdk::Failure(
      DAVIT_INVALID, "config-refused", "nginx refuses the configuration: " + words,
      "nothing was changed; look at the app's nginx properties, certificate and own configuration files");
}

std::uint64_t LiveFiles::generation_on_disk() const {
  const auto text = read("generation.conf").value_or("");
  const auto digit = text.find_first_of("0123456789");
  return digit == std::string::npos ? 0 : std::stoull(text.substr(digit));
}

bool LiveFiles::is_stale() {
  const auto status = control_.status();
  return status && status->generation != generation_on_disk();
}

void LiveFiles::write(const FileChanges& changes) const {
  for (const auto& [path, text] : changes) {
    const fs::path full = settings_.root + "/" + path;
    if (text) {
      files::make_dirs(full.parent_path());
      files::write_file(full, *text);
    } else {
      files::remove_file(full);
    }
  }
}

void LiveFiles::install(const FileChanges& changes) {
  FileChanges before;
  for (const auto& change : changes) before[change.first] = read(change.first);
  // The number goes first: whoever finds it ahead of the running nginx knows that files were written and not
  // read.
  Settings next = settings_;
  next.generation = generation_on_disk() + 1;
  write({{"generation.conf", render_generation(next)}});
  try {
    write(changes);
    if (is_up()) reload_and_wait(next.generation);
  } catch (...) {
    write(before);
    ++next.generation;
    write({{"generation.conf", render_generation(next)}});
    if (is_up()) machine_.reload();
    throw;
  }
}

void LiveFiles::reload_and_wait(std::uint64_t generation) {
  const LogSince log(settings_);
  const auto old_workers = children_of_master(settings_);
  machine_.reload();
  // nginx tells nobody when a reload is done, so the new workers are asked until one answers. Beside them the
  // old ones take connections for a moment more, with the old configuration.
  const auto limit = std::chrono::steady_clock::now() + kReloadLimit;
  while (true) {
    const auto status = control_.status();
    const bool is_read = status && status->generation >= generation;
    if (is_read && std::ranges::none_of(old_workers, takes_connections)) return;
    const auto words = complaint_of(log.text());
    if (!words.empty()) {
      throw sdk::Failure(DAVIT_INVALID, "config-refused",
                         "nginx refused to load the new configuration: " + words,
                         "the previous configuration is back and was served all the time");
    }
    if (std::chrono::steady_clock::now() > limit) {
      if (is_read) return;
      throw sdk::Failure(
          DAVIT_TIMEOUT, "reload-slow",
          fmt::format("nginx did not load its new configuration within {} s", kReloadLimit.count()),
          "see davit nginx:error-logs");
    }
    std::this_thread::sleep_for(kPollEvery);
  }
}

}  // namespace davit::nginx
