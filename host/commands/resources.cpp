// Limits and reservations: see the header.
#include "commands/resources.hpp"

#include <fmt/format.h>

#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/text.hpp"

namespace davit {
namespace {

constexpr double kMaxCores = 4096;
constexpr double kLeastCores = 0.01;  // Docker takes no less; 0 is no limit
constexpr std::string_view kTyped = ".typed";
constexpr double kLeastMemory = 6.0 * 1024 * 1024;  // Docker takes no less, and no program starts with less

std::optional<double> decimal(std::string_view text) {
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value) || value < 0)
    return {};
  return value;
}

Result<std::uint64_t> memory(std::string_view text) {
  double factor = 1024 * 1024;  // dokku's and docker's default for these commands: MB
  const std::string lower = to_lower_ascii(text);
  std::string_view digits = lower;
  if (digits.ends_with("ib"))
    digits.remove_suffix(2);
  else if (digits.size() > 1 && digits.ends_with('b') &&
           !std::isdigit(static_cast<unsigned char>(digits[digits.size() - 2])))
    digits.remove_suffix(1);
  if (!digits.empty()) {
    switch (digits.back()) {
      case 'b':
        factor = 1;
        break;
      case 'k':
        factor = 1024;
        break;
      case 'm':
        factor = 1024.0 * 1024;
        break;
      case 'g':
        factor = 1024.0 * 1024 * 1024;
        break;
      default:
        break;
    }
    if (std::string_view("bkmg").find(digits.back()) != std::string_view::npos) digits.remove_suffix(1);
  }
  const auto value = decimal(digits);
  if (!value || *value * factor > 1e18) {
    return fail(Code::kInvalid, fmt::format("{} is not an amount of memory", text),
                "Give 512m, 2g or a number of MB");
  }
  const double bytes = *value * factor;
  if (bytes > 0 && bytes < kLeastMemory) {
    return fail(Code::kInvalid, fmt::format("{} of memory is too little for any process", text),
                "Give at least 6m; without a unit it is MB");
  }
  return static_cast<std::uint64_t>(bytes);
}

}  // namespace

Result<std::uint64_t> parse_resource(std::string_view resource, std::string_view value) {
  if (resource == "memory") return memory(value);
  const auto number = decimal(value);
  if (resource == "cpu") {
    if (number && *number > 0 && *number < kLeastCores)
      return fail(Code::kInvalid, fmt::format("{} of a CPU is too little for any process", value),
                  "Give at least 0.01");
    if (number && *number <= kMaxCores) return static_cast<std::uint64_t>(std::llround(*number * 1000));
    return fail(Code::kInvalid, fmt::format("{} is not a number of CPUs", value), "Give 0.5 or 2");
  }
  if (number && *number == std::floor(*number) && *number <= 1e6) return static_cast<std::uint64_t>(*number);
  return fail(Code::kInvalid, fmt::format("{} is not a number of {}", value, resource));
}

std::string resource_key(std::string_view type, std::string_view kind, std::string_view resource) {
  return fmt::format("{}.{}.{}", type, kind, resource);
}

std::string resource_text_key(std::string_view type, std::string_view kind, std::string_view resource) {
  return resource_key(type, kind, resource) + std::string(kTyped);
}

Result<> report_resources(Report& report, Store& store, AppId app) {
  DAVIT_TRY_ASSIGN(const auto values, store.properties().group(app, "resource"));
  for (const auto& [key, value] : values) {
    if (!key.ends_with(kTyped)) continue;
    std::string name = "resource-" + key.substr(0, key.size() - kTyped.size());
    for (char& c : name) {
      if (c == '.') c = '-';
    }
    report.add(std::move(name), value);
  }
  return {};
}

}  // namespace davit
