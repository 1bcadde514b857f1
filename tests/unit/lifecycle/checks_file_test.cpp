// dokku's CHECKS file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lifecycle/app_manifest.hpp"

namespace davit {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(ChecksFile, ReadsPathsTextsAndSettings) {
  const auto checks =
      checks_of_checks_file("# ours\nWAIT=2\nTIMEOUT=9\nATTEMPTS=6\n\n/ Hello, world\n/health\n");
  ASSERT_TRUE(checks);
  const auto& web = checks->at("web");
  ASSERT_EQ(web.size(), 2U);
  EXPECT_EQ(web[0].kind, HealthCheck::Kind::kHttp);
  EXPECT_EQ(web[0].path, "/");
  EXPECT_EQ(web[0].content, "Hello, world");
  EXPECT_EQ(web[1].path, "/health");
  EXPECT_EQ(web[1].content, "");
  for (const HealthCheck& check : web) {
    EXPECT_EQ(check.wait_ms, 2'000U);
    EXPECT_EQ(check.timeout_ms, 9'000U);
    EXPECT_EQ(check.attempts, 6U);
  }
}

TEST(ChecksFile, SettingsHoldForEveryLineWhereverTheyStand) {
  const auto checks = checks_of_checks_file("/a\nWAIT=3\n");
  EXPECT_EQ(checks->at("web")[0].wait_ms, 3'000U);
}

TEST(ChecksFile, TakesTheHostOfAUrl) {
  const auto checks = checks_of_checks_file("http://a.test/x hi\n//b.test/y\nhttps://c.test\n");
  ASSERT_TRUE(checks);
  const auto& web = checks->at("web");
  EXPECT_EQ(web[0].headers.at("Host"), "a.test");
  EXPECT_EQ(web[0].path, "/x");
  EXPECT_EQ(web[1].headers.at("Host"), "b.test");
  EXPECT_EQ(web[1].path, "/y");
  EXPECT_EQ(web[2].headers.at("Host"), "c.test");
  EXPECT_EQ(web[2].path, "/");
}

TEST(ChecksFile, TwoSlashesInAPathAreNoHost) {
  const auto checks = checks_of_checks_file("/redirect?to=http://b.test/\n/a//b\n");
  ASSERT_TRUE(checks);
  const auto& web = checks->at("web");
  EXPECT_EQ(web[0].path, "/redirect?to=http://b.test/");
  EXPECT_TRUE(web[0].headers.empty());
  EXPECT_EQ(web[1].path, "/a//b");
}

TEST(ChecksFile, WindowsLinesAreLines) {
  const auto checks = checks_of_checks_file("WAIT=1\r\n/health ok\r\n");
  ASSERT_TRUE(checks);
  EXPECT_EQ(checks->at("web")[0].content, "ok");
}

TEST(ChecksFile, WithoutAPathSaysNothing) {
  EXPECT_THAT(*checks_of_checks_file(""), IsEmpty());
  EXPECT_THAT(*checks_of_checks_file("# nothing\nWAIT=5\n"), IsEmpty());
}

TEST(ChecksFile, NoAttemptsAreOne) {
  EXPECT_EQ(checks_of_checks_file("ATTEMPTS=0\n/\n")->at("web")[0].attempts, 1U);
}

TEST(ChecksFile, BadLinesAreNamed) {
  for (const auto& [text, says] :
       std::vector<std::pair<std::string, std::string>>{{"/\nhealth\n", "CHECKS:2"},
                                                        {"WAIT=soon\n", "WAIT must be a whole number"},
                                                        {"WAIT=\n", "WAIT"},
                                                        {"WAIT=-1\n", "WAIT"},
                                                        {"WAIT=99999999999999999999\n", "WAIT"},
                                                        {"TIMEOUT=3601\n", "TIMEOUT"},
                                                        {"ftp://a.test/\n", "no path"},
                                                        {"http:\n", "no path"},
                                                        {"\x01\x02\n", "no path"}}) {
    const auto checks = checks_of_checks_file(text);
    ASSERT_FALSE(checks) << text;
    EXPECT_EQ(checks.error().slug, "checks-invalid") << text;
    EXPECT_THAT(checks.error().message, HasSubstr(says)) << text;
  }
}

}  // namespace
}  // namespace davit
