#include "files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "davit/failure.hpp"
#include "tests/temp_folder.hpp"

namespace davit::buildstep {
namespace fs = std::filesystem;
namespace {

class Files : public testing::Test {
 protected:
  void put(const std::string& name, const std::string& text) {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name, std::ios::binary) << text;
  }
  const test::TempFolder folder_;
  const fs::path root_ = folder_.path();
};

TEST_F(Files, SmallFilesOnlyAndOnlyRegularOnes) {
  put("a", "text");
  EXPECT_EQ(read_small_file(root_ / "a", 10), "text");
  EXPECT_EQ(read_small_file(root_ / "none", 10), std::nullopt);
  EXPECT_THROW(read_small_file(root_ / "a", 3), sdk::Failure);
  fs::create_directory(root_ / "d");
  EXPECT_THROW(read_small_file(root_ / "d", 10), sdk::Failure);
  ASSERT_EQ(::mkfifo((root_ / "pipe").c_str(), 0600), 0);
  EXPECT_THROW(read_small_file(root_ / "pipe", 10), sdk::Failure) << "and it must not wait for a writer";
}

TEST_F(Files, LinksMustStayInTheTree) {
  put("tree/real", "inside");
  put("secret", "outside");
  fs::create_symlink("real", root_ / "tree/in");
  fs::create_symlink("../secret", root_ / "tree/out");
  fs::create_symlink("nowhere", root_ / "tree/dangling");
  EXPECT_EQ(read_small_file(root_ / "tree/in", 100, root_ / "tree"), "inside");
  EXPECT_THROW(read_small_file(root_ / "tree/in", 100), sdk::Failure) << "no tree, no links";
  EXPECT_THROW(read_small_file(root_ / "tree/out", 100, root_ / "tree"), sdk::Failure);
  EXPECT_THROW(read_small_file(root_ / "tree/dangling", 100, root_ / "tree"), sdk::Failure);
}

TEST_F(Files, TheEnvironmentsFilesHoldExactBytes) {
  const std::string odd = "line one\nline two \xff\n\n";
  write_env_dir(root_ / "env",
                {{"PLAIN", "x"}, {"ODD", odd}, {"EMPTY", ""}, {"../evil", "x"}, {"", "x"}, {".", "x"}});
  EXPECT_EQ(read_small_file(root_ / "env/PLAIN", 10), "x") << "no newline added";
  EXPECT_EQ(read_small_file(root_ / "env/ODD", 100), odd);
  EXPECT_EQ(read_small_file(root_ / "env/EMPTY", 10), "");
  EXPECT_FALSE(fs::exists(root_ / "evil"));
  struct stat info {};
  ASSERT_EQ(::stat((root_ / "env/PLAIN").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  ASSERT_EQ(::stat((root_ / "env").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
}

TEST_F(Files, CopiesKeepWhatMatters) {
  put("from/bin/run", "x");
  put("from/.hidden", "y");
  put("from/.git/config", "z");
  put("from/sub/.git", "a submodule's file");
  fs::permissions(root_ / "from/bin/run", fs::perms(0755));
  fs::create_directory(root_ / "from/empty");
  fs::create_symlink("/nowhere", root_ / "from/link");
  copy_tree(root_ / "from", root_ / "to");
  EXPECT_EQ(fs::status(root_ / "to/bin/run").permissions(), fs::perms(0755));
  EXPECT_TRUE(fs::exists(root_ / "to/.hidden"));
  EXPECT_TRUE(fs::is_directory(root_ / "to/empty"));
  EXPECT_EQ(fs::read_symlink(root_ / "to/link"), "/nowhere");
  EXPECT_FALSE(fs::exists(root_ / "to/.git"));
  EXPECT_TRUE(fs::exists(root_ / "to/sub/.git"));
}

TEST_F(Files, ALinkThatComesWhileItIsCopiedIsNotFollowed) {
  put("secret", "secret");
  put("from/x", "harmless");
  fs::create_symlink(root_ / "secret", root_ / "link");
  std::jthread change([this](const std::stop_token& stop) {
    while (!stop.stop_requested())
      ::renameat2(AT_FDCWD, (root_ / "from/x").c_str(), AT_FDCWD, (root_ / "link").c_str(), RENAME_EXCHANGE);
  });
  for (int i = 0; i < 100; ++i) {
    const fs::path to = root_ / ("to" + std::to_string(i));
    try {
      copy_tree(root_ / "from", to);
    } catch (const sdk::Failure&) {
      continue;  // it was seen to be changing
    }
    if (!fs::is_symlink(to / "x")) {
      EXPECT_EQ(read_small_file(to / "x", 100), "harmless");
    }
  }
}

TEST_F(Files, WhatIsLookedAtIsWhatIsCopied) {
  put("from/a/b", "x");
  for (const char* folder : {"from", "from/a"}) fs::permissions(root_ / folder, fs::perms(0755));
  fs::permissions(root_ / "from/a/b", fs::perms(0640));
  const int from = ::open((root_ / "from").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  std::vector<mode_t> seen;
  copy_tree(from, root_ / "to", [&](const struct stat& facts) { seen.push_back(facts.st_mode); });
  EXPECT_THAT(seen, testing::ElementsAre(S_IFDIR | 0755, S_IFDIR | 0755, S_IFREG | 0640));
  ::close(from);
}

TEST_F(Files, WhoElseCanChangeAPath) {
  put("p/q", "x");
  EXPECT_TRUE(changed_by_us_only(root_ / "p/q"));
  fs::permissions(root_ / "p", fs::perms(0777));
  EXPECT_FALSE(changed_by_us_only(root_ / "p/q"));
  fs::permissions(root_ / "p", fs::perms(01777));
  EXPECT_TRUE(changed_by_us_only(root_ / "p/q")) << "as /tmp";
  EXPECT_FALSE(changed_by_us_only(root_ / "p"));
  EXPECT_FALSE(changed_by_us_only(root_ / "none"));
}

TEST_F(Files, MeasuresAndFindsSpecialFiles) {
  put("a/b", std::string(1000, 'x'));
  fs::create_directory_symlink("/usr", root_ / "a/usr");
  EXPECT_EQ(measure_tree(root_).bytes, 1000U) << "links are not followed";
  EXPECT_EQ(measure_tree(root_).special, "");
  ASSERT_EQ(::mkfifo((root_ / "a/pipe").c_str(), 0600), 0);
  EXPECT_EQ(measure_tree(root_).special, "a/pipe");
}

TEST_F(Files, ReadableByAllLooksAboveAndBelow) {
  put("p/q/bin/x", "y");
  fs::permissions(root_, fs::perms(0755));
  for (const char* dir : {"p", "p/q", "p/q/bin"}) fs::permissions(root_ / dir, fs::perms(0755));
  fs::permissions(root_ / "p/q/bin/x", fs::perms(0644));
  EXPECT_TRUE(readable_by_all(root_ / "p/q"));
  fs::permissions(root_ / "p/q/bin/x", fs::perms(0640));
  EXPECT_FALSE(readable_by_all(root_ / "p/q"));
  fs::permissions(root_ / "p/q/bin/x", fs::perms(0644));
  fs::permissions(root_ / "p", fs::perms(0700));
  EXPECT_FALSE(readable_by_all(root_ / "p/q"));
  EXPECT_FALSE(readable_by_all(root_ / "none"));
}

TEST(HumanBytes, Reads) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  EXPECT_EQ(human_bytes(300ULL << 20), "300 MiB");
}

}  // namespace
}  // namespace davit::buildstep
