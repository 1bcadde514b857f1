// Pseudo terminals and raw mode.
#include "process/pty.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

namespace davit {
namespace {

/// What stops a background process that changes a terminal; blocked, it may.
class StopSignalBlocked {
 public:
  StopSignalBlocked() {
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTTOU);
    ::pthread_sigmask(SIG_BLOCK, &stop, &before_);
  }
  StopSignalBlocked(const StopSignalBlocked&) = delete;
  StopSignalBlocked& operator=(const StopSignalBlocked&) = delete;
  ~StopSignalBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace

std::optional<WindowSize> window_size(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return std::nullopt;
  return WindowSize{size.ws_row, size.ws_col};
}

Result<> set_window_size(int fd, WindowSize size) {
  const winsize wanted{size.rows, size.columns, 0, 0};
  if (::ioctl(fd, TIOCSWINSZ, &wanted) != 0) return fail(system_error("set the size of a terminal", errno));
  return {};
}

Result<Pty> Pty::open(WindowSize size) {
  Pty pty;
  pty.master.reset(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!pty.master.valid() || ::grantpt(pty.master.get()) != 0 || ::unlockpt(pty.master.get()) != 0) {
    return fail(system_error("open a pseudo terminal", errno));
  }
  std::array<char, 128> name{};
  if (::ptsname_r(pty.master.get(), name.data(), name.size()) != 0) {
    return fail(system_error("name a pseudo terminal", errno));
  }
  pty.slave_name = name.data();
  // By the master, not by the name: /dev/pts of a sandbox may be another.
  pty.slave.reset(::ioctl(pty.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!pty.slave.valid()) return fail(system_error("open " + pty.slave_name, errno));
  DAVIT_TRY(set_window_size(pty.master.get(), size));
  return pty;
}

Result<RawMode> RawMode::enter(int fd) {
  termios saved{};
  if (::tcgetattr(fd, &saved) != 0) return fail(Code::kInvalid, "standard input is not a terminal");
  const StopSignalBlocked blocked;
  const pid_t group = ::tcgetpgrp(fd);
  if (group >= 0) ::tcsetpgrp(fd, ::getpgrp());
  termios raw = saved;
  ::cfmakeraw(&raw);
  RawMode mode(fd, saved, group);
  if (::tcsetattr(fd, TCSANOW, &raw) != 0) return fail(system_error("set the terminal to raw mode", errno));
  return mode;
}

RawMode::~RawMode() {
  if (fd_ < 0) return;
  const StopSignalBlocked blocked;
  ::tcsetattr(fd_, TCSADRAIN, &saved_);
  if (group_ >= 0) ::tcsetpgrp(fd_, group_);
}

}  // namespace davit
