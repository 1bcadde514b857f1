// See times.hpp.
#include "engine/times.hpp"

#include <chrono>
#include <cstdio>

namespace davit::docker {

std::int64_t unix_ns_of(const std::string& text) {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int used = 0;
  if (std::sscanf(text.c_str(), "%d-%u-%uT%d:%d:%d%n", &year, &month, &day, &hour, &minute, &second, &used) !=
          6 ||
      year < 1970)
    return 0;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok()) return 0;
  std::int64_t ns = 0;
  std::size_t at = static_cast<std::size_t>(used);
  if (at < text.size() && text[at] == '.') {
    std::int64_t unit = 100'000'000;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10)
      ns += (text[at] - '0') * unit;
  }
  std::int64_t zone_s = 0;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
    int hours = 0;
    int minutes = 0;
    if (std::sscanf(text.c_str() + at + 1, "%d:%d", &hours, &minutes) == 2)
      zone_s = (hours * 60 + minutes) * 60 * (text[at] == '-' ? -1 : 1);
  }
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return (days * 86400 + hour * 3600 + minute * 60 + second - zone_s) * 1'000'000'000 + ns;
}

std::int64_t unix_ms_of(const std::string& rfc3339) {
  return unix_ns_of(rfc3339) / 1'000'000;
}

}  // namespace davit::docker
