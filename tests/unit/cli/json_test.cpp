// JSON that we write and read.
#include "cli/json.hpp"

#include <gtest/gtest.h>

namespace davit {
namespace {

TEST(Json, WritesObjectsInOrder) {
  EXPECT_EQ(JsonObject().str(), "{}");
  EXPECT_EQ(JsonObject().text("b", "x\"y").number("a", -3).boolean("c", true).raw("d", "[]").str(),
            "{\"b\":\"x\\\"y\",\"a\":-3,\"c\":true,\"d\":[]}");
  EXPECT_EQ(json_texts({"a", "b"}), "[\"a\",\"b\"]");
  EXPECT_EQ(json_texts({}), "[]");
}

TEST(Json, ReadsMembersAsText) {
  const auto members = read_json_object(R"({"a":"x","b":3,"c":[1,2],"d":null,"e":true})");
  ASSERT_TRUE(members);
  EXPECT_EQ(members->at("a"), "x");
  EXPECT_EQ(members->at("b"), "3");
  EXPECT_EQ(members->at("c"), "[1,2]");
  EXPECT_EQ(members->at("d"), "");
  EXPECT_EQ(members->at("e"), "true");
}

TEST(Json, AnErrorSaysWhereAndNeverWhat) {
  const auto broken = read_json_object(R"({"PASSWORD":"s3cret)");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().text().find("s3cret"), std::string::npos);
  EXPECT_FALSE(read_json_object("[1]"));
  EXPECT_FALSE(read_json_object(""));
}

}  // namespace
}  // namespace davit
