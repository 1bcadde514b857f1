// The engine's multiplexed streams: frames of an 8-byte head (stream, 0, 0, 0, length big-endian) and a
// payload. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace davit::docker_plugin {

inline constexpr int kStdout = 1;
inline constexpr int kStderr = 2;

class Frames {
 public:
  using Use = std::function<void(int stream, std::string_view payload)>;

  /// Gives whole frames to `use` (a payload of any size comes in one piece) and keeps the rest. Throws
  /// EngineFailure if these are no frames.
  void feed(std::string_view bytes, const Use& use);
  /// Bytes of an unfinished frame.
  [[nodiscard]] std::size_t rest() const { return rest_.size(); }

 private:
  std::string rest_;
};

}  // namespace davit::docker_plugin
