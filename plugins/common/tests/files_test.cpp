// What a plugin keeps on disk is old or new, never half.
#include "files/files.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>

#include "davit/failure.hpp"
#include "tests/temp_folder.hpp"

namespace davit::files {
namespace {

class Files : public testing::Test {
 protected:
  test::TempFolder folder_;
};

TEST_F(Files, WhatIsWrittenIsReadWithItsMode) {
  const std::string path = folder_ / "state";
  EXPECT_EQ(read_file(path), std::nullopt);
  write_file(path, "first");
  write_file(path, std::string("se\0cond", 7), 0600);
  EXPECT_EQ(read_file(path), std::string("se\0cond", 7));
  struct stat facts {};
  ASSERT_EQ(::stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777U, 0600U);
  EXPECT_EQ(names_in(folder_.path()), std::vector<std::string>{"state"});
  remove_file(path);
  remove_file(path);
  EXPECT_EQ(names_in(folder_.path()), std::vector<std::string>{});
}

// The kernel takes the first bytes and then no more, as on a disk that fills up just then.
TEST_F(Files, AWriteThatEndsHalfWayLeavesTheOldAndSaysWhy) {
  const std::string path = folder_ / "state";
  write_file(path, "old");
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{10, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  try {
    write_file(path, std::string(100, 'n'));
    ADD_FAILURE() << "100 bytes were written where 10 are allowed";
  } catch (const sdk::Failure& failure) {
    EXPECT_EQ(failure.slug(), "file-not-written");
    EXPECT_NE(failure.message().find("File too large"), std::string::npos) << failure.message();
  }
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(names_in(folder_.path()), std::vector<std::string>{"state"});
}

TEST_F(Files, AFolderThatIsThereKeepsItsMode) {
  const std::string path = folder_ / "a/b";
  make_dirs(path, 0700);
  make_dirs(path, 0755);
  struct stat facts {};
  ASSERT_EQ(::stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777U, 0700U);
  EXPECT_THROW(make_dirs("/proc/none"), sdk::Failure);
}

TEST_F(Files, NamesAreSortedAndNoFolderHasNone) {
  for (const char* name : {"b", "c", "a"}) write_file(folder_ / name, "");
  EXPECT_EQ(names_in(folder_.path()), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(names_in(folder_ / "none").empty());
  EXPECT_GT(modified_ns(folder_ / "a"), 0);
  EXPECT_EQ(modified_ns(folder_ / "none"), 0);
}

}  // namespace
}  // namespace davit::files
