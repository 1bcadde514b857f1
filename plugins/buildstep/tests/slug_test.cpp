#include "slug.hpp"

#include <sys/stat.h>

#include <gmock/gmock.h>

#include "davit/failure.hpp"
#include "files.hpp"
#include "support.hpp"

namespace davit::buildstep {
namespace fs = std::filesystem;
namespace {

class SlugTest : public testing_support::FolderTest {
 protected:
  void make_tree(const std::string& name) {
    put(name + "/b", "two");
    put(name + "/.hidden", "dot");
    put(name + "/bin/run", "#!/bin/sh\n", 0755);
    put(name + "/private", "p", 0600);
    fs::create_directory(root_ / name / "empty");
    fs::create_symlink("b", root_ / name / "link");
    fs::create_hard_link(root_ / name / "b", root_ / name / "hard");
  }
  std::string refusal(const SlugLimits& limits) {
    try {
      SlugPacker(programs_, limits).pack(root_ / "t", root_ / "slug", 0);
    } catch (const sdk::Failure& failure) {
      return failure.slug();
    }
    return "packed";
  }
};

TEST_F(SlugTest, EqualTreesGiveEqualBytes) {
  make_tree("one");
  put("two/zzz", "made first, in another order");
  make_tree("two");
  fs::remove(root_ / "two/zzz");
  SlugPacker packer(programs_, {});
  const Slug one = packer.pack(root_ / "one", root_ / "one.tar.zst", 1700000000);
  const Slug two = packer.pack(root_ / "two", root_ / "two.tar.zst", 1700000000);
  EXPECT_EQ(get(one.file), get(two.file));
  EXPECT_EQ(one.bytes, fs::file_size(root_ / "one.tar.zst"));
  put("two/b2", "x");
  EXPECT_NE(get(packer.pack(root_ / "two", root_ / "three.tar.zst", 1700000000).file), get(one.file));
}

TEST_F(SlugTest, EverythingSurvives) {
  make_tree("t");
  SlugPacker(programs_, {}).pack(root_ / "t", root_ / "slug.tar.zst", 1700000000);
  fs::create_directory(root_ / "out");
  ASSERT_EQ(sh({"tar", "-C", (root_ / "out").string(), "-xpf", (root_ / "slug.tar.zst").string()}), 0)
      << said_;
  EXPECT_EQ(get(root_ / "out/.hidden"), "dot");
  EXPECT_EQ(fs::status(root_ / "out/bin/run").permissions(), fs::perms(0755));
  EXPECT_EQ(fs::status(root_ / "out/private").permissions(), fs::perms(0600));
  EXPECT_TRUE(fs::is_directory(root_ / "out/empty"));
  EXPECT_EQ(fs::read_symlink(root_ / "out/link"), "b");
  EXPECT_EQ(fs::hard_link_count(root_ / "out/b"), 2U);
  ASSERT_EQ(sh({"tar", "--numeric-owner", "--full-time", "-tvf", (root_ / "slug.tar.zst").string(), "./b"}),
            0);
  EXPECT_THAT(said_, testing::HasSubstr(" 0/0 "));
  EXPECT_THAT(said_, testing::HasSubstr("2023-11-14"));
}

TEST_F(SlugTest, NobodyBecomesRootByASlug) {
  put("t/tool", "x", 06755);
  SlugPacker(programs_, {}).pack(root_ / "t", root_ / "slug.tar.zst", 0);
  ASSERT_EQ(sh({"tar", "-tvf", (root_ / "slug.tar.zst").string(), "./tool"}), 0) << said_;
  EXPECT_THAT(said_, testing::StartsWith("-rwxr-xr-x "));
}

TEST_F(SlugTest, LimitsAreNamed) {
  make_tree("t");
  EXPECT_EQ(refusal({.tree_bytes = 10}), "slug-too-large");
  EXPECT_EQ(refusal({.files = 3}), "slug-too-large");
  EXPECT_EQ(refusal({.slug_bytes = 10}), "slug-too-large");
  EXPECT_EQ(refusal({.tree_bytes = 1000, .files = 100, .slug_bytes = 100000}), "packed");
}

TEST_F(SlugTest, SpecialFilesAreRefused) {
  make_tree("t");
  ASSERT_EQ(::mkfifo((root_ / "t/pipe").c_str(), 0600), 0);
  EXPECT_EQ(refusal({}), "slug-special-file");
}

TEST_F(SlugTest, AFailedTarIsAFailure) {
  make_tree("t");
  EXPECT_THROW(SlugPacker(programs_, {}).pack(root_ / "t", root_ / "no/such/folder/slug", 0), sdk::Failure);
}

}  // namespace
}  // namespace davit::buildstep
