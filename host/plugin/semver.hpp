// Semantic versions and the requirements on them that plugins.toml states. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace davit {

/// MAJOR.MINOR.PATCH[-PRERELEASE][+BUILD]; compared as semver.org says (build is not compared).
struct Semver {
  std::uint32_t major_part = 0, minor_part = 0, patch_part = 0;
  std::string prerelease;

  static Result<Semver> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  friend std::strong_ordering operator<=>(const Semver& left, const Semver& right);
  friend bool operator==(const Semver& left, const Semver& right) { return (left <=> right) == 0; }
};

/// "^1.2", "~1.2.3", ">=1", "=1.2.3" or "1.2.3" (exact), "" or "*" (any). Missing parts are 0; "^0.x" keeps
/// the minor, "^0.0.x" the patch, and "~1" the major. A pre-release satisfies only a requirement on the same
/// MAJOR.MINOR.PATCH, or an exact one.
class VersionRequirement {
 public:
  static Result<VersionRequirement> parse(std::string_view text);
  [[nodiscard]] bool met_by(const Semver& version) const;

 private:
  enum class Kind { kAny, kRange, kAtLeast, kExact };
  Kind kind_ = Kind::kAny;
  Semver low_;   // inclusive
  Semver high_;  // exclusive, of kRange
};

}  // namespace davit
