// FileLock on flock(2). Waiting happens in a thread that blocks in flock, so that a deadline and a cancel can
// end it without polling.
#include "process/file_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <memory>
#include <mutex>
#include <thread>

#include "base/text.hpp"

namespace davit {
namespace {

Result<UniqueFd> open_lock(const std::filesystem::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) return fail(system_error(fmt::format("open lock {}", path.native()), errno));
  return fd;
}

// False when somebody deleted or replaced the file between our open and our lock.
bool is_still(int fd, const std::filesystem::path& path) {
  struct stat ours {};
  struct stat now {};
  return ::fstat(fd, &ours) == 0 && ::stat(path.c_str(), &now) == 0 && ours.st_ino == now.st_ino &&
         ours.st_dev == now.st_dev;
}

std::string one_line(std::string text) {
  for (auto& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return text;
}

void write_owner(int fd, const LockOwner& owner) {
  const auto text = fmt::format("command={}\npid={}\nsince_unix_ms={}\n", one_line(owner.command), owner.pid,
                                owner.since_unix_ms);
  // Best effort: without the text the lock still locks, and only a message is poorer.
  if (::ftruncate(fd, 0) != 0) return;
  [[maybe_unused]] const auto written = ::pwrite(fd, text.data(), text.size(), 0);
}

template <typename Number>
Number number(std::string_view text) {
  Number value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string holder_text(const std::filesystem::path& path) {
  const auto owner = FileLock::last_owner(path);
  if (!owner) return "another command";
  const auto age_ms = SystemClock().now_unix_ms() - owner->since_unix_ms;
  return fmt::format("{} (pid {}, for {})", owner->command, owner->pid,
                     duration_text(std::max<std::int64_t>(0, age_ms)));
}

// Shared with the blocking thread, which may outlive the wait that gave up on it.
struct Blocked {
  std::mutex mutex;
  UniqueFd lock;  ///< taken back by whoever is second
  UniqueFd done;
  bool abandoned = false;
  int error = 0;
};

void block_in_flock(const std::shared_ptr<Blocked>& shared, int fd) {
  int error = 0;
  while (::flock(fd, LOCK_EX) != 0) {
    error = errno;
    if (error != EINTR) break;
    error = 0;
  }
  const std::lock_guard guard(shared->mutex);
  shared->error = error;
  if (shared->abandoned) {
    shared->lock.reset();
    return;
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(shared->done.get(), &one, sizeof one);
}

enum class Waited { kGotIt, kTimeout, kCancelled };

Waited poll_for(int done_fd, std::int64_t until_mono_ms, const std::optional<CancelToken>& cancel) {
  const SystemClock clock;
  while (true) {
    const auto left =
        until_mono_ms == 0 ? -1 : std::max<std::int64_t>(0, until_mono_ms - clock.now_mono_ms());
    pollfd watched[2] = {{done_fd, POLLIN, 0}, {cancel ? cancel->fd() : -1, POLLIN, 0}};
    const int ready = ::poll(watched, 2, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (watched[0].revents != 0) return Waited::kGotIt;
    if (watched[1].revents != 0) return Waited::kCancelled;
    if (ready == 0) return Waited::kTimeout;
  }
}

Result<UniqueFd> lock_blocking(UniqueFd fd, const std::filesystem::path& path, std::int64_t until_mono_ms,
                               const LockWait& wait) {
  auto shared = std::make_shared<Blocked>();
  shared->done.reset(::eventfd(0, EFD_CLOEXEC));
  if (!shared->done.valid()) return fail(system_error("eventfd", errno));
  const int number = fd.get();
  shared->lock = std::move(fd);
  sigset_t all;
  sigset_t before;
  sigfillset(&all);  // signals stay with the threads that know them
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread(block_in_flock, shared, number).detach();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);

  const auto waited = poll_for(shared->done.get(), until_mono_ms, wait.cancel);
  const std::lock_guard guard(shared->mutex);
  if (waited == Waited::kGotIt) {
    if (shared->error != 0) return fail(system_error(fmt::format("lock {}", path.native()), shared->error));
    return std::move(shared->lock);
  }
  shared->abandoned = true;
  if (waited == Waited::kCancelled) return fail(Code::kCancelled, "stopped waiting for " + holder_text(path));
  return fail(Code::kTimeout, "still waiting for " + holder_text(path), "Try again when it is done",
              "locked");
}

}  // namespace

std::optional<LockOwner> FileLock::last_owner(const std::filesystem::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid()) return std::nullopt;
  std::array<char, 4096> bytes;
  const auto got = ::pread(fd.get(), bytes.data(), bytes.size(), 0);
  if (got <= 0) return std::nullopt;
  LockOwner owner;
  for (const auto& line : split_lines({bytes.data(), static_cast<std::size_t>(got)})) {
    const std::string_view text(line);
    if (text.starts_with("command=")) owner.command = text.substr(8);
    if (text.starts_with("pid=")) owner.pid = number<pid_t>(text.substr(4));
    if (text.starts_with("since_unix_ms=")) owner.since_unix_ms = number<UnixMs>(text.substr(14));
  }
  if (owner.pid == 0) return std::nullopt;
  return owner;
}

Result<FileLock> FileLock::try_acquire(const std::filesystem::path& path, const LockOwner& owner) {
  while (true) {
    DAVIT_TRY_ASSIGN(auto fd, open_lock(path));
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return fail(system_error(fmt::format("lock {}", path.native()), errno));
      return fail(Code::kConflict, "locked by " + holder_text(path), "Wait until it is done", "locked");
    }
    if (!is_still(fd.get(), path)) continue;
    write_owner(fd.get(), owner);
    return FileLock(std::move(fd), path);
  }
}

Result<FileLock> FileLock::acquire(const std::filesystem::path& path, const LockOwner& owner,
                                   const LockWait& wait) {
  const auto until_mono_ms = wait.deadline_ms > 0 ? SystemClock().now_mono_ms() + wait.deadline_ms : 0;
  bool told = false;
  while (true) {
    DAVIT_TRY_ASSIGN(auto fd, open_lock(path));
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return fail(system_error(fmt::format("lock {}", path.native()), errno));
      if (!told && wait.on_wait) {  // whoever has just taken it may not have written yet who that is
        const LockOwner unknown{"another command", 0, SystemClock().now_unix_ms()};
        wait.on_wait(last_owner(path).value_or(unknown));
      }
      told = true;
      DAVIT_TRY_ASSIGN(fd, lock_blocking(std::move(fd), path, until_mono_ms, wait));
    }
    if (!is_still(fd.get(), path)) continue;
    write_owner(fd.get(), owner);
    return FileLock(std::move(fd), path);
  }
}

void FileLock::release() {
  if (!fd_.valid()) return;
  ::flock(fd_.get(), LOCK_UN);
  fd_.reset();
}

void FileLock::release_and_unlink() {
  if (!fd_.valid()) return;
  ::unlink(path_.c_str());
  release();
}

}  // namespace davit
