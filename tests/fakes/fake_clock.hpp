// FakeClock: time that moves only when a test says so.
#pragma once

#include <atomic>

#include "base/clock.hpp"

namespace davit::fakes {

/// Threads: any.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(UnixMs start_unix_ms = 1'764'000'000'000) : unix_ms_(start_unix_ms) {}

  [[nodiscard]] UnixMs now_unix_ms() const override { return unix_ms_; }
  [[nodiscard]] MonoMs now_mono_ms() const override { return mono_ms_; }

  /// Both clocks go on together.
  void advance_ms(std::int64_t ms) {
    unix_ms_ += ms;
    mono_ms_ += ms;
  }
  /// Wall time jumps, as when somebody sets it; the monotonic clock does not.
  void set_unix_ms(UnixMs unix_ms) { unix_ms_ = unix_ms; }

 private:
  std::atomic<UnixMs> unix_ms_;
  std::atomic<MonoMs> mono_ms_{1'000};
};

}  // namespace davit::fakes
