// s6-svscan: found, started, stopped, and started beside orphans.
#include "supervise/tree.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "process/file_lock.hpp"
#include "process/files.hpp"

namespace davit::detail {
namespace {

namespace fs = std::filesystem;

constexpr const char* kAdopter = "%adopt";  // no unit can have this name
constexpr std::uintmax_t kLogBytes = 1024 * 1024;

Result<> set_link(const fs::path& target, const fs::path& link) {
  ::unlink(link.c_str());
  if (::symlink(target.c_str(), link.c_str()) != 0) {
    return fail(system_error(fmt::format("link {}", link.native()), errno));
  }
  return {};
}

// The end of a log, for a message.
std::string tail(const fs::path& path) {
  const auto text = read_file(path, 16 * kLogBytes).value_or("");
  return text.size() > 300 ? text.substr(text.size() - 300) : text;
}

Result<> wait_until_ready(int fd, std::int64_t deadline_ms, const fs::path& log) {
  pollfd watched{fd, POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&watched, 1, static_cast<int>(deadline_ms));
  } while (ready < 0 && errno == EINTR);
  char byte = 0;
  if (ready > 0 && ::read(fd, &byte, 1) == 1) return {};
  return fail(Code::kUnavailable, fmt::format("s6-svscan did not start: {}", tail(log)),
              "Is the package s6 installed? Run `davit doctor`", "supervisor-down");
}

}  // namespace

bool Tree::running() const {
  return fifo_has_reader(control());
}

Result<> Tree::make_folders() const {
  DAVIT_TRY(make_dirs(settings_->folder, 0700));
  for (const auto* name : {"scan", "units", "orphans", "held", "locks"})
    DAVIT_TRY(make_dir(folder(name), 0700));
  return {};
}

std::vector<std::string> Tree::names_in(std::string_view folder_name) const {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder(folder_name), ignored)) {
    auto name = entry.path().filename().native();
    if (!name.starts_with('.')) names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  return names;
}

Result<bool> Tree::ensure(const std::function<bool(std::string_view)>& held) const {
  if (running()) return false;
  DAVIT_TRY(make_folders());
  LockWait wait;
  wait.deadline_ms = settings_->start_deadline_ms;
  DAVIT_TRY_ASSIGN(
      const auto lock,
      FileLock::acquire(folder("tree.lock"),
                        {"starting the supervisor", ::getpid(), SystemClock().now_unix_ms()}, wait));
  if (running()) return false;  // another command was faster
  DAVIT_TRY(release_held());
  DAVIT_TRY(set_orphans_aside());
  for (const auto& name : held ? names_in("scan") : std::vector<std::string>{}) {
    if (name != kAdopter && held(name)) DAVIT_TRY(move(name, "scan", "held"));
  }
  DAVIT_TRY(prepare_adopter());
  DAVIT_TRY(start_svscan());
  return true;
}

Result<> Tree::move(const std::string& name, std::string_view from, std::string_view to) const {
  if (::rename((folder(from) / name).c_str(), (folder(to) / name).c_str()) == 0 || errno == ENOENT) return {};
  return fail(system_error(fmt::format("move {} to {}", name, to), errno));
}

Result<> Tree::release_held() const {
  const auto names = names_in("held");
  for (const auto& name : names) DAVIT_TRY(move(name, "held", "scan"));
  if (!names.empty()) rescan();
  return {};
}

bool Tree::is_held(std::string_view name) const {
  struct stat info {};
  return ::lstat((folder("held") / name).c_str(), &info) == 0;
}

Result<> Tree::set_orphans_aside() const {
  for (const auto& name : names_in("scan")) {
    if (name != kAdopter && unit(name).supervisor()) DAVIT_TRY(move(name, "scan", "orphans"));
  }
  for (const auto& name : names_in("orphans")) {
    if (!unit(name).supervisor()) DAVIT_TRY(move(name, "orphans", "scan"));
  }
  return {};
}

Result<> Tree::prepare_adopter() const {
  const auto adopter = unit(kAdopter);
  const auto until = SystemClock().now_mono_ms() + settings_->start_deadline_ms;
  DAVIT_TRY(end_supervisor(adopter, until));  // of an earlier tree: it knows nothing of the new orphans
  const auto link = folder("scan") / kAdopter;
  ::unlink(link.c_str());
  DAVIT_TRY(remove_tree(adopter.folder()));
  if (names_in("orphans").empty()) return {};
  DAVIT_TRY(make_dir(adopter.folder(), 0700));
  DAVIT_TRY(set_link(settings_->adopt_program, adopter.file("run")));
  DAVIT_TRY(set_link(settings_->adopt_program, adopter.file("finish")));
  return set_link(fs::path("../units") / kAdopter, link);
}

Result<> Tree::start_svscan() const {
  const auto log_path = folder("log");
  std::error_code ignored;
  const bool large = fs::file_size(log_path, ignored) > kLogBytes && !ignored;
  const UniqueFd log(
      ::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (large ? O_TRUNC : 0), 0600));
  if (!log.valid()) return fail(system_error(fmt::format("open {}", log_path.native()), errno));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(system_error("pipe", errno));
  const UniqueFd ready(ends[0]);
  UniqueFd telling(ends[1]);
  // -t 0: never looks by itself, only when told. -d 3: a newline there when it listens.
  const std::vector<std::string> argv = {
      "/usr/bin/s6-svscan",   "-d", "3", "-t", "0", "-c", std::to_string(settings_->max_units),
      folder("scan").native()};
  DAVIT_TRY(spawn_detached(argv, settings_->folder.native(), log.get(), telling.get()));
  telling.reset();
  return wait_until_ready(ready.get(), settings_->start_deadline_ms, log_path);
}

Result<> Tree::stop(MonoMs until_mono_ms) const {
  struct stat info {};
  if (::stat(settings_->folder.c_str(), &info) != 0) return {};
  LockWait wait;
  wait.deadline_ms = std::max<std::int64_t>(1, until_mono_ms - SystemClock().now_mono_ms());
  DAVIT_TRY_ASSIGN(
      const auto lock,
      FileLock::acquire(folder("tree.lock"),
                        {"stopping the supervisor", ::getpid(), SystemClock().now_unix_ms()}, wait));
  const auto svscan = pidfd_of_holder(svscan_lock());
  if (svscan.valid()) send(svscan.get(), SIGTERM);  // it tells each s6-supervise, and waits for all
  // Orphans are nobody's children: told all at once, then waited for one by one.
  for (const auto& name : names_in("orphans")) {
    const auto supervisor = pidfd_of_holder(unit(name).file("supervise/lock"));
    if (supervisor.valid()) send(supervisor.get(), SIGTERM);
  }
  if (svscan.valid() && !wait_for_end(svscan.get(), until_mono_ms)) {
    return fail(Code::kTimeout, "the supervisor still waits for units to stop",
                "Try again, or look at `davit doctor`");
  }
  for (const auto* where : {"orphans", "scan"}) {
    for (const auto& name : names_in(where)) DAVIT_TRY(end_supervisor(unit(name), until_mono_ms));
  }
  return set_orphans_aside();  // none has a supervisor now: all go back to scan/
}

bool Tree::linked(std::string_view name) const {
  struct stat info {};
  return ::lstat((folder("scan") / name).c_str(), &info) == 0 ||
         ::lstat((folder("orphans") / name).c_str(), &info) == 0 || is_held(name);
}

Result<> Tree::link(std::string_view name) const {
  DAVIT_TRY(set_link(fs::path("../units") / name, folder("scan") / name));
  rescan();
  return {};
}

Result<> Tree::unlink(std::string_view name) const {
  for (const auto* where : {"orphans", "scan", "held"}) {
    const auto path = folder(where) / name;
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
      return fail(system_error(fmt::format("unlink {}", path.native()), errno));
    }
  }
  rescan();
  return {};
}

void Tree::rescan() const {
  write_fifo(control(), "a");
}

Result<> Tree::end_supervisor(const UnitFiles& unit, MonoMs until_mono_ms) const {
  // More than once: s6-svscan may have started another before it heard of the change.
  while (true) {
    const auto supervisor = pidfd_of_holder(unit.file("supervise/lock"));
    if (!supervisor.valid()) return {};
    send(supervisor.get(), SIGTERM);  // as `s6-svc -xd`
    if (!wait_for_end(supervisor.get(), until_mono_ms)) {
      return fail(Code::kTimeout, fmt::format("unit {} still stops", unit.folder().filename().native()),
                  "Try again later", "unit-stops");
    }
  }
}

}  // namespace davit::detail
