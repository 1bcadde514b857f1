// Semantic versions and what ^, ~ and >= ask of them.
#include "plugin/semver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <tuple>

#include "base/text.hpp"

namespace davit {
namespace {

std::optional<std::uint32_t> number(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_identifiers(std::string_view text) {
  for (const std::string& part : split(text, '.')) {
    if (part.empty()) return false;
    if (!std::all_of(part.begin(), part.end(), [](unsigned char c) {
          return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
        }))
      return false;
  }
  return true;
}

struct Partial {
  Semver version;
  int parts = 0;
};

/// One to three numbers, then a pre-release and a build part.
std::optional<Partial> parse_partial(std::string_view text) {
  Partial partial;
  if (const auto plus = text.find('+'); plus != std::string_view::npos) {
    if (!is_identifiers(text.substr(plus + 1))) return std::nullopt;
    text = text.substr(0, plus);
  }
  if (const auto dash = text.find('-'); dash != std::string_view::npos) {
    partial.version.prerelease = text.substr(dash + 1);
    if (!is_identifiers(partial.version.prerelease)) return std::nullopt;
    text = text.substr(0, dash);
  }
  const std::array<std::uint32_t*, 3> targets{&partial.version.major_part, &partial.version.minor_part,
                                              &partial.version.patch_part};
  for (bool more = true; more;) {  // without split(): this is done for each plugin at each command
    const auto dot = text.find('.');
    const auto value = number(text.substr(0, dot));
    if (!value || partial.parts == 3) return std::nullopt;
    *targets[static_cast<std::size_t>(partial.parts++)] = *value;
    more = dot != std::string_view::npos;
    if (more) text.remove_prefix(dot + 1);
  }
  if (!partial.version.prerelease.empty() && partial.parts != 3) return std::nullopt;
  return partial;
}

std::strong_ordering compare_prerelease(const std::string& left, const std::string& right) {
  if (left.empty() || right.empty()) return left.empty() <=> right.empty();  // none is the later
  const auto lefts = split(left, '.'), rights = split(right, '.');
  for (std::size_t i = 0; i < std::min(lefts.size(), rights.size()); ++i) {
    const auto a = number(lefts[i]), b = number(rights[i]);
    if (a && b && *a != *b) return *a <=> *b;
    if (a.has_value() != b.has_value()) return b.has_value() <=> a.has_value();  // numbers come first
    if (!a && lefts[i] != rights[i]) return lefts[i] <=> rights[i];
  }
  return lefts.size() <=> rights.size();
}

std::tuple<std::uint32_t, std::uint32_t, std::uint32_t> numbers(const Semver& version) {
  return {version.major_part, version.minor_part, version.patch_part};
}

}  // namespace

Result<Semver> Semver::parse(std::string_view text) {
  const auto partial = parse_partial(text);
  if (!partial || partial->parts != 3)
    return fail(Code::kInvalid, fmt::format("\"{}\" is not a version", text), "Write it as 1.2.3",
                "version-invalid");
  return partial->version;
}

std::string Semver::text() const {
  return fmt::format("{}.{}.{}{}{}", major_part, minor_part, patch_part, prerelease.empty() ? "" : "-",
                     prerelease);
}

std::strong_ordering operator<=>(const Semver& left, const Semver& right) {
  if (const auto order = numbers(left) <=> numbers(right); order != 0) return order;
  return compare_prerelease(left.prerelease, right.prerelease);
}

Result<VersionRequirement> VersionRequirement::parse(std::string_view text) {
  VersionRequirement requirement;
  const std::string_view whole = trim(text);
  if (whole.empty() || whole == "*") return requirement;
  std::string_view rest = whole;
  char sign = '=';
  if (rest.starts_with(">=")) {
    sign = '>';
    rest.remove_prefix(2);
  } else if (rest.front() == '^' || rest.front() == '~' || rest.front() == '=') {
    sign = rest.front();
    rest.remove_prefix(1);
  }
  const auto partial = parse_partial(trim(rest));
  if (!partial || (sign == '=' && partial->parts != 3))
    return fail(Code::kInvalid, fmt::format("\"{}\" is not a version requirement", whole),
                "Write \"^1.0\", \"~1.2\", \">=1.0\" or an exact \"1.2.3\"", "version-invalid");
  requirement.low_ = partial->version;
  const Semver& low = requirement.low_;
  switch (sign) {
    case '>':
      requirement.kind_ = Kind::kAtLeast;
      break;
    case '=':
      requirement.kind_ = Kind::kExact;
      break;
    case '~':
      requirement.kind_ = Kind::kRange;
      requirement.high_ = partial->parts == 1 ? Semver{low.major_part + 1, 0, 0, {}}
                                              : Semver{low.major_part, low.minor_part + 1, 0, {}};
      break;
    default:
      requirement.kind_ = Kind::kRange;
      if (low.major_part > 0 || partial->parts == 1)
        requirement.high_ = {low.major_part + 1, 0, 0, {}};
      else if (low.minor_part > 0 || partial->parts == 2)
        requirement.high_ = {0, low.minor_part + 1, 0, {}};
      else
        requirement.high_ = {0, 0, low.patch_part + 1, {}};
  }
  return requirement;
}

bool VersionRequirement::met_by(const Semver& version) const {
  if (kind_ == Kind::kAny) return true;
  if (kind_ == Kind::kExact) return version == low_;
  if (version < low_) return false;
  if (!version.prerelease.empty() && (low_.prerelease.empty() || numbers(version) != numbers(low_)))
    return false;
  return kind_ == Kind::kAtLeast || numbers(version) < numbers(high_);
}

}  // namespace davit
