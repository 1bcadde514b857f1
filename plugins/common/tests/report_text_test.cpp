// A plugin's report reads as one of the core's.
#include "report/report_text.hpp"

#include <gtest/gtest.h>

#include "davit/failure.hpp"

namespace davit::reports {
namespace {

TEST(ReportText, LooksLikeTheCores) {
  const sdk::Pairs rows{{"buildpacks-stack", ""}, {"buildpacks-computed-stack", "heroku-22"}};
  EXPECT_EQ(report_text(rows),
            "       Buildpacks computed stack:     heroku-22\n"
            "       Buildpacks stack:\n");
  EXPECT_EQ(
      report_json(rows, "buildpacks"),
      R"({"buildpacks-computed-stack":"heroku-22","buildpacks-stack":"","computed-stack":"heroku-22","stack":""})");
  EXPECT_EQ(report_value(rows, "buildpacks-computed-stack"), "heroku-22");
  EXPECT_THROW(report_value(rows, "nope"), sdk::Failure);
}

TEST(ReportText, JsonOfAnyBytes) {
  EXPECT_EQ(json_text("a\"b\\c\nd\xc3\xa9"), "\"a\\\"b\\\\c\\u000ad\xc3\xa9\"");
  EXPECT_EQ(json_text("\xff\xc3"), "\"\\ufffd\\ufffd\"");
}

}  // namespace
}  // namespace davit::reports
