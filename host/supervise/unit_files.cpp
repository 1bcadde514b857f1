// Files of s6 2.11: supervise/lock (a POSIX lock), supervise/control (a fifo), supervise/status (35 bytes,
// big endian).
#include "supervise/unit_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "base/clock.hpp"

namespace davit::detail {
namespace {

constexpr std::size_t kStatusBytes = 35;
constexpr std::size_t kPidAt = 24;
constexpr std::size_t kFlagsAt = 34;
enum Flags : unsigned { kPaused = 1, kFinishing = 2, kWantedUp = 4, kReady = 8 };
constexpr int kTriesOfAMs = 20;  // s6 writes its status at once, unless it cannot

bool is_gone(pid_t pid) {
  return ::kill(pid, 0) != 0 && errno == ESRCH;
}

}  // namespace

std::optional<pid_t> lock_holder(const std::filesystem::path& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd.valid()) return std::nullopt;
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (::fcntl(fd.get(), F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK || lock.l_pid <= 0)
    return std::nullopt;
  return lock.l_pid;
}

bool write_fifo(const std::filesystem::path& path, std::string_view bytes) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  return fd.valid() && ::write(fd.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
}

bool fifo_has_reader(const std::filesystem::path& path) {
  return UniqueFd(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)).valid();
}

UniqueFd pidfd_of_holder(const std::filesystem::path& lock_path) {
  while (const auto pid = lock_holder(lock_path)) {
    UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));
    if (fd.valid() && lock_holder(lock_path) == pid)
      return fd;  // it still held it after we had hold of the process
  }
  return {};
}

bool wait_for_end(int pidfd, std::int64_t until_mono_ms) {
  const SystemClock clock;
  while (true) {
    const auto left =
        until_mono_ms == 0 ? -1 : std::max<std::int64_t>(0, until_mono_ms - clock.now_mono_ms());
    pollfd watched{pidfd, POLLIN, 0};
    const int ready = ::poll(&watched, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
    if (ready > 0) return true;
    if (ready == 0 && left == 0) return false;
  }
}

void send(int pidfd, int signal) {
  ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0);
}

bool UnitFiles::exists() const {
  return has("spec");
}

bool UnitFiles::has(std::string_view name) const {
  struct stat info {};
  return ::lstat(file(name).c_str(), &info) == 0;
}

std::optional<pid_t> UnitFiles::supervisor() const {
  return lock_holder(file("supervise/lock"));
}

bool UnitFiles::listening() const {
  return fifo_has_reader(file("supervise/control"));
}

Result<> UnitFiles::command(std::string_view bytes) const {
  if (write_fifo(file("supervise/control"), bytes)) return {};
  return fail(Code::kConflict, fmt::format("unit {} is not supervised now", folder_.filename().native()),
              "Run `davit system:start`", "unit-not-supervised");
}

std::optional<S6Status> UnitFiles::s6_status() const {
  auto status = written_status();
  if (status && status->pid == 0 && !status->finishing) {
    const S6Status said = as_davit_unit_says();
    return said.pid != 0 ? said : *status;  // about to be started, perhaps: s6's own flag tells
  }
  for (int tries = 0; status && status->pid > 0 && is_gone(status->pid); ++tries) {
    if (tries == kTriesOfAMs) return as_davit_unit_says();
    ::poll(nullptr, 0, 1);
    status = written_status();
  }
  return status;
}

std::optional<S6Status> UnitFiles::written_status() const {
  const UniqueFd fd(::open(file("supervise/status").c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return std::nullopt;
  std::array<unsigned char, 64> bytes{};
  if (::read(fd.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(kStatusBytes)) return std::nullopt;
  std::uint64_t pid = 0;
  for (std::size_t i = 0; i < 8; ++i) pid = pid << 8 | bytes[kPidAt + i];
  const unsigned flags = bytes[kFlagsAt];
  S6Status status;
  status.pid = static_cast<pid_t>(pid);
  status.finishing = (flags & kFinishing) != 0;
  status.wanted_up = (flags & kWantedUp) != 0;
  status.ready = (flags & kReady) != 0;
  return status;
}

S6Status UnitFiles::as_davit_unit_says() const {
  const auto state = this->state();
  S6Status status;
  status.wanted_up = !has("down");
  if (!has_davit_unit()) return status;
  const bool said = state && state->unit_pid > 0 && !is_gone(state->unit_pid);
  if (said) status.pid = state->unit_pid;
  status.finishing = !said;  // one is there that has said nothing yet: that is not down
  return status;
}

bool UnitFiles::has_davit_unit() const {
  const UniqueFd fd(::open(file("lock").c_str(), O_RDONLY | O_CLOEXEC));
  return fd.valid() && ::flock(fd.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

std::optional<davit_unit_state> UnitFiles::state() const {
  const UniqueFd fd(::open(file("state").c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return std::nullopt;
  davit_unit_state state{};
  for (int tries = 0; tries < 100; ++tries) {  // torn only while davit-unit is inside its one pwrite
    if (::pread(fd.get(), &state, sizeof state, 0) != static_cast<ssize_t>(sizeof state)) return std::nullopt;
    if (state.magic != DAVIT_UNIT_STATE_MAGIC || state.bytes != sizeof state) return std::nullopt;
    if (state.seq_begin == state.seq_end) return state;
  }
  return std::nullopt;
}

}  // namespace davit::detail
