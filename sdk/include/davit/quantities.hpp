/* Durations and sizes as settings and properties write them: "500ms", "30s", "5m", "2h", "1d"; "10k",
 * "64MiB", "2G". A bare number is seconds, or bytes. Units of sizes are powers of 1024. */
#ifndef DAVIT_QUANTITIES_HPP
#define DAVIT_QUANTITIES_HPP

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace davit::sdk {

namespace detail {

struct QuantityUnit {
  std::string_view name;
  uint64_t factor;
};

template <std::size_t N>
std::optional<uint64_t> parse_quantity(std::string_view text, const QuantityUnit (&units)[N]) noexcept {
  uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc()) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(parsed.ptr - text.data()));
  for (const QuantityUnit& known : units) {
    if (known.name != unit) continue;
    if (number > std::numeric_limits<uint64_t>::max() / known.factor) return std::nullopt;
    return number * known.factor;
  }
  return std::nullopt;
}

}  // namespace detail

inline std::optional<uint64_t> parse_duration_ms(std::string_view text) noexcept {
  static constexpr detail::QuantityUnit units[] = {{"ms", 1},    {"s", 1000},    {"", 1000},
                                                   {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
  return detail::parse_quantity(text, units);
}

inline std::optional<uint64_t> parse_size_bytes(std::string_view text) noexcept {
  constexpr uint64_t k = 1024;
  static constexpr detail::QuantityUnit units[] = {
      {"", 1},          {"b", 1},         {"B", 1},          {"k", k},          {"K", k},      {"kB", k},
      {"KB", k},        {"KiB", k},       {"m", k * k},      {"M", k * k},      {"MB", k * k}, {"MiB", k * k},
      {"g", k * k * k}, {"G", k * k * k}, {"GB", k * k * k}, {"GiB", k * k * k}};
  return detail::parse_quantity(text, units);
}

}  // namespace davit::sdk
#endif
