// A user's terminal while a program in a container uses it: raw, so that keys reach the program's own
// terminal as they are. Restored at the end.
#pragma once

#include <termios.h>

#include <cstdint>
#include <optional>

namespace davit::docker_plugin {

struct WindowSize {
  std::uint16_t rows = 0;
  std::uint16_t columns = 0;
  friend bool operator==(const WindowSize&, const WindowSize&) = default;
};

/// nullopt if it is no terminal or has no size.
std::optional<WindowSize> window_size(int fd);

class RawTerminal {
 public:
  explicit RawTerminal(int fd);
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal();

 private:
  int fd_;
  bool changed_ = false;
  int group_ = -1;  ///< that had the terminal before; -1: it is not our session's
  termios before_{};
};

}  // namespace davit::docker_plugin
