// .dockerignore as Docker reads it.
#include "ignore_rules.hpp"

#include <gtest/gtest.h>

namespace davit::dockerfile {
namespace {

TEST(IgnoreRules, APatternIsOneOfPaths) {
  const struct {
    const char* pattern;
    const char* path;
    bool matches;
  } cases[] = {
      {"a", "a", true},          {"a", "ab", false},          {"*", "a", true},
      {"*", "a/b", false},       {"*.md", "x.md", true},      {"*.md", "d/x.md", false},
      {"*/x", "d/x", true},      {"**/x", "x", true},         {"**/x", "d/e/x", true},
      {"**/x", "ax", false},     {"d/**", "d/e/f", true},     {"d/**/f", "d/f", true},
      {"d/**/f", "d/e/f", true}, {"**", "d/e", true},         {"a?c", "abc", true},
      {"a?c", "a/c", false},     {"[a-c]x", "bx", true},      {"[^a-c]x", "bx", false},
      {"[^a-c]x", "dx", true},   {"[a-", "a", false},         {"a\\*b", "a*b", true},
      {"a\\*b", "axb", false},   {"**.log", "d/e.log", true}, {"a*b*c", "aXbYc", true},
  };
  for (const auto& each : cases)
    EXPECT_EQ(matches_pattern(each.pattern, each.path), each.matches) << each.pattern << " and " << each.path;
}

TEST(IgnoreRules, ManyStarsTakeNoLonger) {
  std::string pattern;
  for (int i = 0; i < 60; ++i) pattern += "*a";
  EXPECT_FALSE(matches_pattern(pattern, std::string(400, 'a') + "b"));
}

TEST(IgnoreRules, ALineAsLongAsTheFileMayBeIsNoTrouble) {
  for (const char* piece : {"*", "**/", "?", "a", "[a", "*a"}) {
    std::string pattern;
    while (pattern.size() < 256 * 1024) pattern += piece;
    EXPECT_EQ(IgnoreRules(pattern + "\n").ignores("folder/a"), *piece == '*' && piece[1] != 'a') << piece;
  }
}

TEST(IgnoreRules, WhatIsBelowAnIgnoredFolderIsIgnored) {
  const IgnoreRules rules("# comment\n\n/node_modules/\n  ./build  \n*.tmp\r\n");
  EXPECT_TRUE(rules.ignores("node_modules/a/b"));
  EXPECT_TRUE(rules.ignores("build"));
  EXPECT_TRUE(rules.ignores("x.tmp"));
  EXPECT_FALSE(rules.ignores("src/x.tmp"));
  EXPECT_FALSE(rules.ignores("src/node_modules"));
  EXPECT_TRUE(rules.is_final());
}

TEST(IgnoreRules, TheLastLineThatFitsCounts) {
  const IgnoreRules rules("*\n!src\n!README.md\nsrc/secret\n");
  EXPECT_TRUE(rules.ignores("other"));
  EXPECT_FALSE(rules.ignores("src"));
  EXPECT_FALSE(rules.ignores("src/a.c"));
  EXPECT_FALSE(rules.ignores("README.md"));
  EXPECT_TRUE(rules.ignores("src/secret"));
  EXPECT_TRUE(rules.ignores("src/secret/key"));
  EXPECT_FALSE(rules.is_final());
}

TEST(IgnoreRules, NothingIsIgnoredByNothing) {
  EXPECT_FALSE(IgnoreRules().ignores("a"));
  EXPECT_FALSE(IgnoreRules(".\n/\n").ignores("a"));
}

}  // namespace
}  // namespace davit::dockerfile
