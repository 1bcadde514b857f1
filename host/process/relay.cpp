// The relay between the local terminal (or pipe) and the master of a pty.
#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>

#include "process/pty.hpp"

namespace davit {
namespace {

constexpr std::size_t kBufferBytes = 64 * 1024;
constexpr int kSilenceMs = 100;

// SIGWINCH as a descriptor, for as long as the relay runs.
class SizeChanges {
 public:
  explicit SizeChanges(bool wanted) {
    if (!wanted) return;
    sigset_t window;
    sigemptyset(&window);
    sigaddset(&window, SIGWINCH);
    ::pthread_sigmask(SIG_BLOCK, &window, &before_);
    fd_.reset(::signalfd(-1, &window, SFD_CLOEXEC | SFD_NONBLOCK));
    blocked_ = true;
  }
  SizeChanges(const SizeChanges&) = delete;
  SizeChanges& operator=(const SizeChanges&) = delete;
  ~SizeChanges() {
    if (blocked_) ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  [[nodiscard]] int fd() const { return fd_.get(); }
  void eat() const {
    signalfd_siginfo info;
    while (::read(fd_.get(), &info, sizeof info) > 0) {
    }
  }

 private:
  UniqueFd fd_;
  sigset_t before_{};
  bool blocked_ = false;
};

enum class Moved { kSome, kNothing, kEnd };

class Relay {
 public:
  explicit Relay(const RelaySpec& spec) : spec_(spec), sizes_(spec.forward_size) {}

  Result<> run() {
    copy_size();
    while (true) {
      const bool read_local = local_open_ && to_master_.size() < kBufferBytes;
      const bool read_master = to_local_.size() < kBufferBytes;
      pollfd watched[5] = {
          {read_local ? spec_.local_in : -1, POLLIN, 0},
          {spec_.master, static_cast<short>((read_master ? POLLIN : 0) | (to_master_.empty() ? 0 : POLLOUT)),
           0},
          {to_local_.empty() ? -1 : spec_.local_out, POLLOUT, 0},
          {sizes_.fd(), POLLIN, 0},
          {spec_.child_pidfd, POLLIN, 0}};
      if (::poll(watched, 5, -1) < 0) {
        if (errno == EINTR) continue;
        return fail(system_error("poll", errno));
      }
      if (watched[3].revents != 0) {
        sizes_.eat();
        copy_size();
      }
      if (watched[0].revents != 0) from_local();
      if ((watched[1].revents & POLLOUT) != 0) write_some(spec_.master, to_master_);
      if ((watched[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && read_master &&
          from_master() == Moved::kEnd) {
        return finish();
      }
      if (watched[2].revents != 0 && write_some(spec_.local_out, to_local_) == Moved::kEnd) return {};
      if (watched[4].revents != 0 && (watched[1].revents & POLLIN) == 0) return drain();
    }
  }

 private:
  void copy_size() const {
    if (!spec_.forward_size) return;
    auto size = window_size(spec_.local_in);
    if (!size) size = window_size(spec_.local_out);
    if (size) (void)set_window_size(spec_.master, *size);  // a size that cannot be set is no reason to stop
  }

  void from_local() {
    std::array<char, 4096> buffer;
    const auto count = ::read(spec_.local_in, buffer.data(), buffer.size());
    if (count > 0) {
      to_master_.append(buffer.data(), static_cast<std::size_t>(count));
    } else if (count == 0 || (errno != EINTR && errno != EAGAIN)) {
      local_open_ = false;
      to_master_ += end_of_file();
    }
  }

  [[nodiscard]] std::string end_of_file() const {
    termios settings{};
    if (::tcgetattr(spec_.master, &settings) != 0 || (settings.c_lflag & ICANON) == 0) return {};
    return std::string(1, static_cast<char>(settings.c_cc[VEOF]));
  }

  Moved from_master() {
    std::array<char, 16 * 1024> buffer;
    const auto count = ::read(spec_.master, buffer.data(), buffer.size());
    if (count > 0) {
      to_local_.append(buffer.data(), static_cast<std::size_t>(count));
      return Moved::kSome;
    }
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return Moved::kNothing;
    return Moved::kEnd;  // EIO: the last slave is closed
  }

  static Moved write_some(int fd, std::string& bytes) {
    // At most a page: a blocking terminal that is ready takes that much without blocking for long.
    const auto count = ::write(fd, bytes.data(), std::min<std::size_t>(bytes.size(), 4096));
    if (count > 0) {
      bytes.erase(0, static_cast<std::size_t>(count));
      return Moved::kSome;
    }
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return Moved::kNothing;
    bytes.clear();
    return Moved::kEnd;
  }

  // The child is gone. What it wrote may still be on its way through the kernel: the master hangs up when all
  // of it was read, unless somebody else holds the slave; then a short silence is the end.
  Result<> drain() {
    while (true) {
      pollfd watched{spec_.master, POLLIN, 0};
      if (::poll(&watched, 1, kSilenceMs) <= 0) break;
      if (from_master() == Moved::kEnd) break;
      if (to_local_.size() >= kBufferBytes) (void)finish();
    }
    return finish();
  }

  Result<> finish() {
    while (!to_local_.empty()) {
      pollfd watched{spec_.local_out, POLLOUT, 0};
      if (::poll(&watched, 1, -1) < 0 && errno != EINTR) break;
      if (write_some(spec_.local_out, to_local_) == Moved::kEnd) break;
    }
    return {};
  }

  RelaySpec spec_;
  SizeChanges sizes_;
  std::string to_master_;
  std::string to_local_;
  bool local_open_ = true;
};

}  // namespace

Result<> relay(const RelaySpec& spec) {
  // Non-blocking, or a full pty would stop both directions. Only our own master: the local descriptors are
  // shared with the shell.
  const int flags = ::fcntl(spec.master, F_GETFL);
  if (flags < 0 || ::fcntl(spec.master, F_SETFL, flags | O_NONBLOCK) != 0) {
    return fail(system_error("prepare the terminal", errno));
  }
  return Relay(spec).run();
}

}  // namespace davit
