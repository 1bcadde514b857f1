// See log_line.hpp.
#include "log_line.hpp"

#include <chrono>

namespace davit::process_plugin {
namespace {

constexpr std::string_view kShape = "dddd-dd-dd dd:dd:dd.ddddddddd  ";

bool fits(std::string_view line) {
  if (line.size() < kShape.size()) return false;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const bool digit = line[i] >= '0' && line[i] <= '9';
    if (kShape[i] == 'd' ? !digit : line[i] != kShape[i]) return false;
  }
  return true;
}

int number(std::string_view line, std::size_t at, std::size_t digits) {
  int value = 0;
  for (std::size_t i = at; i < at + digits; ++i) value = value * 10 + (line[i] - '0');
  return value;
}

}  // namespace

std::optional<StampedLine> parse_stamped(std::string_view line) {
  if (!fits(line)) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(number(line, 0, 4)),
                                         std::chrono::month(static_cast<unsigned>(number(line, 5, 2))),
                                         std::chrono::day(static_cast<unsigned>(number(line, 8, 2)))};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t seconds =
      days * 86400 + number(line, 11, 2) * 3600 + number(line, 14, 2) * 60 + number(line, 17, 2);
  return StampedLine{seconds * 1000 + number(line, 20, 3), line.substr(kShape.size())};
}

}  // namespace davit::process_plugin
