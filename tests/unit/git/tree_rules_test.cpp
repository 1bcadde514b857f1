// What a pushed tree may hold, on the text of git ls-tree.
#include "git/tree_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace davit {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kId = "0123456789012345678901234567890123456789";

std::string slug(const Result<>& result) {
  return result ? "fine" : result.error().slug;
}

TEST(ParseTree, ReadsModesSizesAndAnyName) {
  std::string text = std::string("100644 blob ") + kId + "     12\tPlain";
  text += '\0';
  text += std::string("120000 blob ") + kId + "       3\twith \ttab\nand line";
  text += '\0';
  text += std::string("160000 commit ") + kId + "       -\tsub/module";
  text += '\0';
  const auto tree = parse_tree(text);
  ASSERT_TRUE(tree);
  ASSERT_EQ(tree->size(), 3U);
  EXPECT_EQ((*tree)[0].bytes, 12U);
  EXPECT_EQ((*tree)[0].id, kId);
  EXPECT_EQ((*tree)[1].mode, "120000");
  EXPECT_EQ((*tree)[1].path, "with \ttab\nand line");
  EXPECT_EQ((*tree)[2].bytes, 0U);
  EXPECT_THAT(*parse_tree(""), IsEmpty());
}

TEST(ParseTree, RefusesWhatIsNoTree) {
  EXPECT_FALSE(parse_tree("fatal: not a tree"));
  EXPECT_FALSE(parse_tree("100644 blob\tname"));
}

TEST(CheckTree, AnEmptyTreeIsNoApp) {
  EXPECT_EQ(slug(check_tree({}, {}, 0)), "tree-empty");
}

TEST(CheckTree, LimitsCountToTheByte) {
  const std::vector<TreeEntry> tree{{"100644", kId, 60, "a"}, {"100644", kId, 40, "b"}};
  EXPECT_EQ(slug(check_tree(tree, {100, 2}, 60)), "fine");
  EXPECT_EQ(slug(check_tree(tree, {99, 2}, 60)), "tree-too-large");
  EXPECT_EQ(slug(check_tree(tree, {100, 1}, 60)), "tree-too-many");
  EXPECT_EQ(slug(check_tree(tree, {100, 2}, 59)), "blob-too-large");
  EXPECT_EQ(slug(check_tree(tree, {0, 0}, 0)), "fine");
}

TEST(CheckTree, SaysWhichFileAndWhatToDo) {
  const auto refused = check_tree({{"100644", kId, 300ULL << 20, "big.iso"}}, {}, 100ULL << 20);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "\"big.iso\" has 300 MiB; a file may have 100 MiB");
  EXPECT_THAT(refused.error().hint, HasSubstr("max-blob-bytes"));
}

TEST(CheckTree, NamesThatWouldHurtAreRefused) {
  for (const char* path : {".git/config", ".GIT/hooks/x", "a/.Git", "../x", "a/../b", "./a", "a//b", ".."}) {
    EXPECT_EQ(slug(check_tree({{"100644", kId, 1, path}}, {}, 0)), "tree-name") << path;
  }
  for (const char* path : {".gitignore", ".github/x", "a/...", "git", "a b", "\xff\xfe", "-rf", "a\nb"}) {
    EXPECT_EQ(slug(check_tree({{"100644", kId, 1, path}}, {}, 0)), "fine") << path;
  }
}

TEST(CheckTree, SubmodulesAreRefusedWithAHint) {
  const auto refused = check_tree({{"160000", kId, 0, "lib"}}, {}, 0);
  EXPECT_EQ(slug(refused), "tree-submodule");
  EXPECT_THAT(refused.error().message, HasSubstr("\"lib\""));
}

TEST(CheckLink, InsideIsFine) {
  for (const auto& [path, target] : std::vector<std::pair<std::string, std::string>>{{"a", "b"},
                                                                                     {"a", "./b/c"},
                                                                                     {"d/a", "../b"},
                                                                                     {"d/e/a", "../../b/c"},
                                                                                     {"d/a", "x/./y"},
                                                                                     {"d/a", ".."},
                                                                                     {"a", "."},
                                                                                     {"a", "..."},
                                                                                     {"a", "b//c"}}) {
    EXPECT_EQ(slug(check_link(path, target)), "fine") << path << " -> " << target;
  }
}

TEST(CheckLink, OutsideIsRefused) {
  for (const auto& [path, target] : std::vector<std::pair<std::string, std::string>>{{"a", "/etc/passwd"},
                                                                                     {"a", ".."},
                                                                                     {"a", "../a"},
                                                                                     {"d/a", "../../b"},
                                                                                     {"d/a", ".././../b"},
                                                                                     {"a", "./../b"},
                                                                                     {"a", ""},
                                                                                     {"a", "//x"}}) {
    EXPECT_EQ(slug(check_link(path, target)), "tree-link") << path << " -> " << target;
  }
}

TEST(CheckLink, UpAfterANameIsRefused) {
  // x/y/l -> ../.. is the root. m -> x/y/l/.. reads like x/y, and is the root's parent.
  EXPECT_EQ(slug(check_link("x/y/l", "../..")), "fine");
  EXPECT_EQ(slug(check_link("m", "x/y/l/..")), "tree-link");
  EXPECT_EQ(slug(check_link("d/m", "../l/../x")), "tree-link");
}

TEST(LfsPointer, IsKnownByItsFirstLine) {
  EXPECT_TRUE(is_lfs_pointer("version https://git-lfs.github.com/spec/v1\noid sha256:x\nsize 1\n"));
  EXPECT_FALSE(is_lfs_pointer("version 2"));
  EXPECT_FALSE(is_lfs_pointer(""));
}

}  // namespace
}  // namespace davit
