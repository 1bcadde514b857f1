// See frames.hpp.
#include "frames.hpp"

#include "engine/engine_failure.hpp"

namespace davit::docker_plugin {
namespace {

constexpr std::size_t kHead = 8;
constexpr std::uint32_t kLargestFrame = 32U << 20;  // the engine's own are at most some tens of KiB

}  // namespace

void Frames::feed(std::string_view bytes, const Use& use) {
  rest_.append(bytes);
  std::size_t at = 0;
  while (rest_.size() - at >= kHead) {
    const auto byte = [&](std::size_t n) {
      return static_cast<std::uint32_t>(static_cast<unsigned char>(rest_[at + n]));
    };
    const std::uint32_t length = byte(4) << 24 | byte(5) << 16 | byte(6) << 8 | byte(7);
    if (byte(0) > 3 || byte(1) != 0 || byte(2) != 0 || byte(3) != 0 || length > kLargestFrame) {
      throw docker::EngineFailure(DAVIT_UNAVAILABLE, 0, "engine-garbled",
                                  "The engine's stream of output is garbled", "see the engine's own log");
    }
    if (rest_.size() - at - kHead < length) break;
    use(static_cast<int>(byte(0)), std::string_view(rest_).substr(at + kHead, length));
    at += kHead + length;
  }
  rest_.erase(0, at);
}

}  // namespace davit::docker_plugin
