// The engine's times. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace davit::docker {

/// Milliseconds since 1970 of "2026-11-23T04:35:01.123456789Z"; 0 if it is no time or the zero time.
std::int64_t unix_ms_of(const std::string& rfc3339);
std::int64_t unix_ns_of(const std::string& rfc3339);

}  // namespace davit::docker
