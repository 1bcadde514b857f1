// See watch.hpp. The classic builder names the container of each step, whose size the engine tells. BuildKit
// does not; there the free space of the engine's disk is what can be seen, and others who write there count
// along.
#include "watch.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "engine/disk.hpp"

namespace davit::dockerfile {
namespace {

constexpr std::int64_t kBetweenLooksMs = 1000;
constexpr std::uint64_t kLookMs = 10'000;

}  // namespace

BuildWatch::BuildWatch(const sdk::Host& host, const sdk::Call& call, docker::Engine& engine,
                       BuildLimits limits, bool names_containers)
    : host_(host),
      call_(call),
      engine_(engine),
      limits_(limits),
      names_containers_(names_containers),
      begun_ms_(host.now_mono_ms()),
      looked_ms_(begun_ms_) {
  if (names_containers) return;
  root_ = docker::root_here(engine.get("/info", {}, docker::patience(call)));
  free_ = docker::free_bytes_at(root_).value_or(0);
}

void BuildWatch::in_container(const std::string& id) {
  if (id == container_) return;
  before_ += now_;
  now_ = 0;
  container_ = id;
}

std::uint64_t BuildWatch::written() {
  if (!names_containers_) {
    const std::uint64_t free = docker::free_bytes_at(root_).value_or(free_);
    return free_ > free ? free_ - free : 0;
  }
  if (container_.empty()) return before_;
  docker::Json facts;
  const docker::Patience brief{{}, kLookMs};
  if (engine_.find("/containers/" + container_ + "/json", {{"size", "1"}}, facts, brief))
    now_ = static_cast<std::uint64_t>(std::max<std::int64_t>(0, docker::number_in(facts, "SizeRw")));
  return before_ + now_;
}

void BuildWatch::check() {
  call_.throw_if_cancelled();
  const std::int64_t now = host_.now_mono_ms();
  if (limits_.time_ms != 0 && now - begun_ms_ >= static_cast<std::int64_t>(limits_.time_ms))
    throw sdk::Failure(
        DAVIT_FAILED, "build-timeout",
        fmt::format("The build did not end within {} s", limits_.time_ms / 1000),
        "see what its last step waits for, or raise build-timeout under [plugins.dockerfile.settings]");
  if (limits_.disk_bytes == 0 || now - looked_ms_ < kBetweenLooksMs) return;
  looked_ms_ = now;
  std::uint64_t bytes = 0;
  try {
    bytes = written();
  } catch (const docker::EngineFailure&) {  // a busy engine; the next look tells
    return;
  }
  if (bytes > limits_.disk_bytes)
    throw sdk::Failure(DAVIT_FAILED, "build-disk",
                       fmt::format("The build has written {} MiB, and may write {} MiB", bytes >> 20,
                                   limits_.disk_bytes >> 20),
                       "let it write less, or raise build-disk under [plugins.dockerfile.settings]");
}

docker::Patience BuildWatch::patience() {
  return {[this] {
            check();
            return false;
          },
          0};
}

}  // namespace davit::dockerfile
