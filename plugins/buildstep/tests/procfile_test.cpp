#include "source/procfile.hpp"

#include <gtest/gtest.h>

#include "davit/failure.hpp"

namespace davit::source {
namespace {

std::string refusal(std::string_view text) {
  try {
    parse_procfile(text);
  } catch (const sdk::Failure& failure) {
    return failure.message();
  }
  return "accepted";
}

TEST(Procfile, KeepsOrderAndShellText) {
  const auto types = parse_procfile("web: cd x && exec y --port \"$PORT\"\nworker: a | b # not a comment\n");
  ASSERT_EQ(types.size(), 2U);
  EXPECT_EQ(types[0].first, "web");
  EXPECT_EQ(types[0].second, "cd x && exec y --port \"$PORT\"");
  EXPECT_EQ(types[1].second, "a | b # not a comment");
}

TEST(Procfile, CommentsBlanksWindowsLineEndsNoFinalNewline) {
  const auto types = parse_procfile("\xef\xbb\xbf# hello\r\n\r\n  web:node server.js\r\n\tworker :  run: it");
  ASSERT_EQ(types.size(), 2U);
  EXPECT_EQ(types[0], (std::pair<std::string, std::string>{"web", "node server.js"}));
  EXPECT_EQ(types[1], (std::pair<std::string, std::string>{"worker", "run: it"}));
}

TEST(Procfile, EmptyMeansNoProcess) {
  EXPECT_TRUE(parse_procfile("").empty());
  EXPECT_TRUE(parse_procfile("# only a comment").empty());
}

TEST(Procfile, BadLinesAreNamedByNumber) {
  EXPECT_EQ(refusal("web: a\n\nworker b\n"), "Procfile, line 3: `worker b` has no colon");
  EXPECT_EQ(refusal("web:\n"), "Procfile, line 1: `web` has no command");
  EXPECT_EQ(refusal("web: a\nweb: b\n"), "Procfile, line 2: `web` stands there already");
  EXPECT_NE(refusal("we b: a\n").find("line 1: `we b` is not a process type"), std::string::npos);
  EXPECT_NE(refusal("../x: a\n"), "accepted");
  EXPECT_NE(refusal(": a\n"), "accepted");
  EXPECT_NE(refusal(std::string(64, 'a') + ": a\n"), "accepted");
  EXPECT_NE(refusal(std::string("web: a\0b\n", 9)), "accepted");
  EXPECT_NE(refusal("web: " + std::string(300 * 1024, 'a')), "accepted");
}

TEST(Procfile, ABadLineIsShownWithoutControlCharacters) {
  EXPECT_EQ(refusal("\x1b[31mred\n"), "Procfile, line 1: `?[31mred` has no colon");
}

}  // namespace
}  // namespace davit::source
