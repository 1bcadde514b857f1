// One line of an instance's log as s6-log writes it: "2026-11-23 10:05:00.123456789  text". Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace davit::process_plugin {

struct StampedLine {
  std::int64_t unix_ms = 0;
  std::string_view text;
};

/// nullopt for a line without a time (the rest of one that was longer than the logger's buffer). Times are
/// UTC.
std::optional<StampedLine> parse_stamped(std::string_view line);

}  // namespace davit::process_plugin
