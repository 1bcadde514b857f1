#include "choice.hpp"

#include <gtest/gtest.h>

#include "davit/failure.hpp"

namespace davit::buildstep {
namespace {

ChoiceInputs everything() {
  return {{"heroku/nodejs", "davit/static"},
          "https://example.com/url.git",
          "https://example.com/file.git\n",
          {"davit/node", "davit/procfile"}};
}

TEST(Choice, TheAppsListWins) {
  const Choice choice = choose_buildpacks(everything());
  EXPECT_EQ(choice.source, "buildpacks:set");
  EXPECT_FALSE(choice.detected);
  ASSERT_EQ(choice.packs.size(), 2U);
  EXPECT_EQ(choice.packs[1].label(), "davit/static");
}

TEST(Choice, ThenTheVariable) {
  ChoiceInputs inputs = everything();
  inputs.listed.clear();
  const Choice choice = choose_buildpacks(inputs);
  EXPECT_EQ(choice.source, "BUILDPACK_URL");
  EXPECT_EQ(choice.packs.at(0).location, "https://example.com/url.git");
}

TEST(Choice, ThenTheFileWithItsCommentsAndLineEnds) {
  ChoiceInputs inputs = everything();
  inputs.listed.clear();
  inputs.url_variable.clear();
  inputs.file = "\xef\xbb\xbf# first\r\n\r\n  https://example.com/a.git#v1 \r\nheroku/python";
  const Choice choice = choose_buildpacks(inputs);
  EXPECT_EQ(choice.source, ".buildpacks");
  ASSERT_EQ(choice.packs.size(), 2U);
  EXPECT_EQ(choice.packs[0].ref, "v1");
}

TEST(Choice, ThenDetectionInTheDeclaredOrder) {
  ChoiceInputs inputs;
  inputs.file = "# nothing\n";
  inputs.detection_order = {"davit/static", "davit/node", "davit/procfile"};
  const Choice choice = choose_buildpacks(inputs);
  EXPECT_TRUE(choice.detected);
  EXPECT_EQ(choice.source, "detection");
  EXPECT_EQ(choice.packs.at(0).label(), "davit/static");
  EXPECT_EQ(choice.rivals, 2U) << "the Procfile is a fallback";
}

TEST(Choice, AnErrorSaysWhereItStands) {
  ChoiceInputs inputs;
  inputs.file = "heroku/nodejs\nnot a buildpack\n";
  try {
    choose_buildpacks(inputs);
    FAIL() << "accepted";
  } catch (const sdk::Failure& failure) {
    EXPECT_NE(failure.message().find(".buildpacks, line 2"), std::string::npos) << failure.message();
    EXPECT_FALSE(failure.hint().empty());
  }
}

TEST(Choice, NothingAtAllIsAnError) {
  EXPECT_THROW(choose_buildpacks({}), sdk::Failure);
}

}  // namespace
}  // namespace davit::buildstep
