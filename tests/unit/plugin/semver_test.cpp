// Versions and requirements.
#include "plugin/semver.hpp"

#include <gtest/gtest.h>

namespace davit {
namespace {

bool met(std::string_view requirement, std::string_view version) {
  return VersionRequirement::parse(requirement).value().met_by(Semver::parse(version).value());
}

TEST(Semver, OrdersAsTheSpecificationSays) {
  const std::vector<std::string> rising{"0.9.9",        "1.0.0-alpha",   "1.0.0-alpha.1", "1.0.0-alpha.beta",
                                        "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",    "1.0.0",
                                        "1.0.1",        "1.10.0"};
  for (std::size_t i = 0; i + 1 < rising.size(); ++i)
    EXPECT_TRUE(Semver::parse(rising[i]).value() < Semver::parse(rising[i + 1]).value()) << rising[i];
  EXPECT_TRUE(Semver::parse("1.0.0+a").value() == Semver::parse("1.0.0+b").value());
}

TEST(Semver, RefusesWhatIsNoVersion) {
  for (const char* text : {"", "1", "1.2", "1.2.3.4", "01.2.3", "1.2.x", "v1.2.3", "1.2.3-", "1.2.3-ä",
                           "-1.2.3", "1..3", "99999999999.0.0", "1.2.3 "})
    EXPECT_FALSE(Semver::parse(text)) << text;
}

TEST(VersionRequirement, CaretTildeAtLeastAndExact) {
  EXPECT_TRUE(met("^1.0", "1.9.3"));
  EXPECT_FALSE(met("^1.0", "2.0.0"));
  EXPECT_FALSE(met("^1.2", "1.1.9"));
  EXPECT_TRUE(met("^0.2", "0.2.9"));
  EXPECT_FALSE(met("^0.2", "0.3.0"));
  EXPECT_FALSE(met("^0.0.3", "0.0.4"));
  EXPECT_TRUE(met("^0", "0.7.0"));
  EXPECT_TRUE(met("~1.2.3", "1.2.9"));
  EXPECT_FALSE(met("~1.2", "1.3.0"));
  EXPECT_TRUE(met("~1", "1.9.0"));
  EXPECT_TRUE(met(">=1.2", "7.0.0"));
  EXPECT_FALSE(met(">= 1.2", "1.1.0"));
  EXPECT_TRUE(met("1.2.3", "1.2.3"));
  EXPECT_FALSE(met("=1.2.3", "1.2.4"));
  EXPECT_TRUE(met("*", "0.0.1"));
  EXPECT_TRUE(met("", "0.0.1"));
}

TEST(VersionRequirement, PreReleasesAreNotTakenUnasked) {
  EXPECT_FALSE(met("^1.0", "1.5.0-beta"));
  EXPECT_FALSE(met("^1.0", "2.0.0-alpha"));
  EXPECT_TRUE(met("^1.0.0-rc.1", "1.0.0-rc.2"));
  EXPECT_TRUE(met("^1.0.0-rc.1", "1.1.0"));
}

TEST(VersionRequirement, RefusesNonsense) {
  for (const char* text : {"^", "^x", "1.2", "latest", ">1.0", "^1.0 || ^2.0", "~1.2.3.4"})
    EXPECT_FALSE(VersionRequirement::parse(text)) << text;
}

}  // namespace
}  // namespace davit
