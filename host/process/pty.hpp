// A pseudo terminal, the local terminal in raw mode, and the relay between the two: `run` and `enter`.
#pragma once

#include <termios.h>

#include <optional>
#include <string>

#include "base/result.hpp"
#include "process/unique_fd.hpp"

namespace davit {

struct WindowSize {
  unsigned short rows = 24;
  unsigned short columns = 80;
};

/// The size of a terminal; nullopt if `fd` is none.
std::optional<WindowSize> window_size(int fd);
/// Sets it; the programs on the other side get SIGWINCH from the kernel.
Result<> set_window_size(int fd, WindowSize size);

/// Both ends of a new pty, close-on-exec. Give `slave` to a child as fds 0-2 and as Command::controlling_tty,
/// then reset it here: the master sees the end only when the last slave is closed.
struct Pty {
  UniqueFd master;
  UniqueFd slave;
  std::string slave_name;  ///< /dev/pts/N

  static Result<Pty> open(WindowSize size);
};

/// Takes a terminal to our own process group and puts it into raw mode; gives both back at the end. Without
/// that, a process outside the foreground group (a worker has a group of its own) is stopped by SIGTTOU as
/// soon as it touches the settings. Move-only.
class RawMode {
 public:
  /// kInvalid if `fd` is no terminal.
  static Result<RawMode> enter(int fd);
  RawMode(RawMode&& other) noexcept : fd_(other.fd_), saved_(other.saved_), group_(other.group_) {
    other.fd_ = -1;
  }
  RawMode& operator=(RawMode&&) = delete;
  ~RawMode();

 private:
  RawMode(int fd, const termios& saved, pid_t group) : fd_(fd), saved_(saved), group_(group) {}
  int fd_;
  termios saved_;
  pid_t group_;  ///< which had the terminal; -1: it is not our controlling terminal
};

/// What relay() joins. All borrowed.
struct RelaySpec {
  int local_in = 0;
  int local_out = 1;
  int master = -1;
  int child_pidfd = -1;  ///< readable at the child's end: then what is left is drained and relay returns. -1:
                         ///< until the master closes
  bool forward_size = true;  ///< SIGWINCH: local_in's (or local_out's) size goes to the master
};

/// Copies both ways until the far side is over. The end of local_in sends the terminal's end-of-file
/// character once; the relay goes on with the other direction. Call from the main thread of a program without
/// other threads (SIGWINCH is blocked and read by signalfd meanwhile).
Result<> relay(const RelaySpec& spec);

}  // namespace davit
