// The engine's times. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace davit::docker {

/// Milliseconds since 1970 of "2026-11-23T04:35:01.123456789Z"; 0 if it is no time or the zero time.
std::int64_t unix_ms_of(const std::string& rfc3339);
std::int64_t unix_ns_of(const std::string& rfc3339);

/// Whether what the engine made at `made_unix_ms` may be of `since_unix_ms` (0: no time) or later: the
/// engine's clock need not be this machine's, and lists have whole seconds.
inline bool is_made_since(std::int64_t made_unix_ms, std::int64_t since_unix_ms) {
  constexpr std::int64_t kClockSlackMs = 2000;
  return since_unix_ms != 0 && made_unix_ms >= since_unix_ms - kClockSlackMs;
}

}  // namespace davit::docker
