// Pseudo terminals and raw mode.
#include "process/pty.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <array>
#include <cerrno>
#include <cstdlib>

namespace davit {

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
  termios raw = saved;
  ::cfmakeraw(&raw);
  if (::tcsetattr(fd, TCSANOW, &raw) != 0) return fail(system_error("set the terminal to raw mode", errno));
  return RawMode(fd, saved);
}

RawMode::~RawMode() {
  if (fd_ >= 0) ::tcsetattr(fd_, TCSADRAIN, &saved_);
}

}  // namespace davit
