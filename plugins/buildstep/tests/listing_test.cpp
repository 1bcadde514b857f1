#include "listing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "davit/failure.hpp"

namespace davit::buildstep {
namespace {

using testing::ElementsAre;

std::string refusal(const sdk::Strings& list, const std::string& item, std::optional<std::size_t> index) {
  try {
    removed(list, "shop", item, index);
  } catch (const sdk::Failure& failure) {
    return failure.message();
  }
  return "removed";
}

TEST(Listing, AddsAtTheEndOrAtAPosition) {
  EXPECT_THAT(added({}, "a", std::nullopt), ElementsAre("a"));
  EXPECT_THAT(added({"a", "b"}, "c", std::nullopt), ElementsAre("a", "b", "c"));
  EXPECT_THAT(added({"a", "b"}, "c", 1), ElementsAre("c", "a", "b"));
  EXPECT_THAT(added({"a", "b"}, "c", 2), ElementsAre("a", "c", "b"));
  EXPECT_THAT(added({"a"}, "c", 99), ElementsAre("a", "c"));
}

TEST(Listing, ReplacesTheFirstOrAPosition) {
  EXPECT_THAT(replaced({}, "a", std::nullopt), ElementsAre("a"));
  EXPECT_THAT(replaced({"a", "b"}, "c", std::nullopt), ElementsAre("c", "b"));
  EXPECT_THAT(replaced({"a", "b"}, "c", 2), ElementsAre("a", "c"));
  EXPECT_THAT(replaced({"a", "b"}, "c", 99), ElementsAre("a", "b", "c"));
}

TEST(Listing, RemovesByPositionOrName) {
  EXPECT_THAT(removed({"davit/node", "davit/static"}, "x", "", 2).list, ElementsAre("davit/node"));
  EXPECT_THAT(removed({"davit/node", "davit/static"}, "x", "node", std::nullopt).list,
              ElementsAre("davit/static"));
  const sdk::Strings urls{"https://github.com/heroku/heroku-buildpack-nodejs.git"};
  EXPECT_EQ(removed(urls, "x", "heroku/nodejs", std::nullopt).removed, urls[0]);
  EXPECT_THAT(removed({"https://a:b@example.com/x"}, "x", "https://***@example.com/x", std::nullopt).list,
              ElementsAre());
}

TEST(Listing, SaysWhyItCannotRemove) {
  EXPECT_EQ(refusal({"davit/node"}, "davit/node", 1),
            "Please choose either index or Buildpack, but not both");
  EXPECT_EQ(refusal({"davit/node"}, "", std::nullopt),
            "Must specify a buildpack to remove, either by index or URL");
  EXPECT_EQ(refusal({}, "x", std::nullopt),
            "No buildpacks were found, next release on shop will detect buildpack normally");
  EXPECT_EQ(refusal({"davit/node"}, "", 2), "Index not found");
  EXPECT_EQ(refusal({"davit/node"}, "davit/static", std::nullopt), "Value not found");
}

TEST(Listing, PositionsAreWholeNumbersFromOne) {
  EXPECT_EQ(parse_index(std::nullopt), std::nullopt);
  EXPECT_EQ(parse_index("3"), 3U);
  for (const char* text : {"0", "-1", "x", "1x", "", "99999999999999999999999"}) {
    EXPECT_THROW(parse_index(text), sdk::Failure) << text;
  }
}

}  // namespace
}  // namespace davit::buildstep
