// The driver's status file: one event a line, see share/driver.sh.
#include "report.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>

#include <fmt/core.h>

#include "files.hpp"

namespace davit::buildstep {
namespace {

constexpr std::uint64_t kLargestFile = 256 * 1024;

std::optional<int> number_in(std::string_view word, int most) {
  int value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size() || value < 0 || value > most)
    return std::nullopt;
  return value;
}

void read_line(BuildReport& report, const std::string& line, int last_pack) {
  std::istringstream words(line);
  std::string word;
  std::string second;
  std::string third;
  words >> word >> second >> third;
  if (word == "chosen") {
    if (const auto pack = number_in(second, last_pack))
      report.chosen.push_back(static_cast<std::size_t>(*pack));
  } else if (word == "phase" && (second == "detect" || second == "compile" || second == "release")) {
    report.phase = second;
    report.phase_pack = static_cast<std::size_t>(number_in(third, last_pack).value_or(0));
  } else if (word == "failed") {
    report.failed = number_in(second, 255).value_or(1);
  } else if (word == "done") {
    report.done = true;
  }
}

}  // namespace

BuildReport read_report(const std::filesystem::path& result, std::size_t pack_count) {
  BuildReport report;
  std::istringstream status(read_small_file(result / "status", kLargestFile).value_or(""));
  for (std::string line; std::getline(status, line);)
    read_line(report, line, static_cast<int>(pack_count) - 1);
  for (const std::size_t pack : report.chosen) {
    const auto yaml = read_small_file(result / fmt::format("release.{}", pack), kLargestFile);
    const auto blank = [](unsigned char c) { return c <= ' '; };
    if (!yaml || std::ranges::all_of(*yaml, blank)) continue;
    report.release = *yaml;
    report.release_pack = pack;
  }
  return report;
}

}  // namespace davit::buildstep
