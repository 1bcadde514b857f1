// See terminal.hpp.
#include "terminal.hpp"

#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace davit::docker_plugin {
namespace {

/// Changing a terminal from the background would stop us.
class QuietStop {
 public:
  QuietStop() {
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTTOU);
    pthread_sigmask(SIG_BLOCK, &stop, &before_);
  }
  QuietStop(const QuietStop&) = delete;
  QuietStop& operator=(const QuietStop&) = delete;
  ~QuietStop() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace

std::optional<WindowSize> window_size(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return std::nullopt;
  return WindowSize{size.ws_row, size.ws_col};
}

RawTerminal::RawTerminal(int fd) : fd_(fd) {
  if (tcgetattr(fd, &before_) != 0) return;
  const QuietStop quiet;
  // A worker is in the background of its user's terminal: it could neither change it nor read from it.
  if (tcgetsid(fd) == getsid(0)) {
    group_ = tcgetpgrp(fd);
    if (group_ >= 0) tcsetpgrp(fd, getpgrp());
  }
  termios raw = before_;
  cfmakeraw(&raw);
  changed_ = tcsetattr(fd, TCSANOW, &raw) == 0;
}

RawTerminal::~RawTerminal() {
  const QuietStop quiet;
  if (changed_) tcsetattr(fd_, TCSANOW, &before_);
  if (group_ >= 0) tcsetpgrp(fd_, group_);
}

}  // namespace davit::docker_plugin
