// Reports and columns, in dokku's forms.
#include "cli/layout.hpp"

#include <gtest/gtest.h>

namespace davit {
namespace {

Report sample() {
  Report report("ps", "shop");
  report.add("ps-restart-policy", "on-failure:10");
  report.add("deployed", "true");
  report.add("ps-global-restart-policy", "");
  return report;
}

TEST(Report, PadsKeysToThirtyOneAndSortsThem) {
  EXPECT_EQ(sample().header(), "shop ps information");
  EXPECT_EQ(sample().text(),
            "       Deployed:                      true\n"
            "       Ps global restart policy:\n"
            "       Ps restart policy:             on-failure:10\n");
}

TEST(Report, ALongKeyWidensAll) {
  Report report("ps", "shop");
  report.add("ps-computed-a-very-long-name-of-a-property", "x");
  EXPECT_EQ(report.text(), "       Ps computed a very long name of a property: x\n");
}

TEST(Report, JsonHasKeysBareAndWithTheGroup) {
  EXPECT_EQ(sample().json(),
            "{\"deployed\":\"true\",\"global-restart-policy\":\"\",\"ps-global-restart-policy\":\"\","
            "\"ps-restart-policy\":\"on-failure:10\",\"restart-policy\":\"on-failure:10\"}");
}

TEST(Report, OneFlagGivesTheValueAlone) {
  EXPECT_EQ(sample().value("--deployed"), "true");
  const auto bad = sample().value("--nothing");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message,
            "Invalid flag passed, valid flags: --deployed, --ps-global-restart-policy, --ps-restart-policy");
}

TEST(Columns, AreAsWideAsTheirWidestCell) {
  EXPECT_EQ(columns({{"a", "bb", "c"}, {"aaaa", "", "d"}}), "a     bb  c\naaaa      d\n");
  EXPECT_EQ(columns({{"a", ""}}, "  "), "  a\n");
  EXPECT_EQ(columns({{"\xC3\xA9", "x"}, {"ab", "y"}}), "\xC3\xA9   x\nab  y\n");
  EXPECT_EQ(columns({}), "");
}

}  // namespace
}  // namespace davit
