// Moves bytes between a hijacked connection and what a task or exec was given: descriptors, a terminal, or
// sinks. One thread; ends when the program's output ends.
#pragma once

#include <csignal>
#include <cstdint>
#include <functional>

#include "davit/values.hpp"
#include "engine/engine.hpp"
#include "frames.hpp"
#include "terminal.hpp"

namespace davit::docker_plugin {

/// Of what was ended because nobody reads what it says: as a shell tells of SIGPIPE.
inline constexpr std::int32_t kReaderGoneCode = 128 + SIGPIPE;

struct PumpSpec {
  bool tty = false;
  sdk::Fds fds = sdk::kNoFds;
  sdk::Output out;
  sdk::Output err;  ///< empty: to out
  /// The terminal has another size.
  std::function<void(const WindowSize&)> resized;
};

class Pump {
 public:
  Pump(docker::Hijacked& connection, PumpSpec spec);
  /// True at the end of the output, false once `stopped` says so (it is asked a few times a second and after
  /// each piece). May be called again to go on.
  bool run_until(const std::function<bool()>& stopped);
  /// Nobody reads one of the descriptors any more. The program is not told, as it writes to the engine: its
  /// end is the caller's to bring about. What it still says is dropped.
  [[nodiscard]] bool reader_gone() const { return reader_gone_; }

 private:
  void take(std::string_view bytes);
  void deliver(int stream, std::string_view payload);
  void pass_input();
  void look_at_size();

  docker::Hijacked& connection_;
  PumpSpec spec_;
  std::string pending_;  ///< input that the connection did not take yet
  bool input_open_;
  bool first_given_ = false;
  bool reader_gone_ = false;
  std::optional<WindowSize> size_;
  Frames frames_;
};

}  // namespace davit::docker_plugin
