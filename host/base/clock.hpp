// The clock seam: tests inject a fake, nothing in the host asks the system for the time by itself.
#pragma once

#include <cstdint>
#include <string>

namespace davit {

/// Milliseconds since the Unix epoch (wall time; may jump). For records and what people read.
using UnixMs = std::int64_t;
/// Milliseconds of the monotonic clock. For deadlines and durations.
using MonoMs = std::int64_t;

/// Threads: any.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual UnixMs now_unix_ms() const = 0;
  [[nodiscard]] virtual MonoMs now_mono_ms() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] UnixMs now_unix_ms() const override;
  [[nodiscard]] MonoMs now_mono_ms() const override;
};

/// "2026-11-23T10:05:00Z" (UTC, seconds).
std::string iso8601_utc(UnixMs at_ms);
/// "3s", "4m 10s", "2h 5m": for people.
std::string duration_text(std::int64_t ms);

}  // namespace davit
