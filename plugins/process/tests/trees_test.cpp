// Trees with other people's content, and the records.
#include "trees.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "records.hpp"
#include "tests/temp_folder.hpp"

namespace davit::process_plugin {
namespace {

using testing::ElementsAre;
namespace fs = std::filesystem;

void touch(const std::string& path) {
  std::ofstream(path) << "x";
}

uid_t owner_of(const std::string& path) {
  struct stat facts {};
  return lstat(path.c_str(), &facts) == 0 ? facts.st_uid : 99999;
}

TEST(Trees, RemovedWholeAndNothingElse) {
  test::TempFolder temp;
  fs::create_directories(temp / "keep");
  touch(temp / "keep/file");
  fs::create_directories(temp / "tree/locked/deep");
  touch(temp / "tree/locked/deep/file");
  fs::create_directory_symlink(temp / "keep", temp / "tree/link");
  fs::permissions(temp / "tree/locked/deep", fs::perms::none);
  fs::permissions(temp / "tree/locked", fs::perms::owner_read);
  remove_tree(temp / "tree");
  EXPECT_FALSE(fs::exists(temp / "tree"));
  EXPECT_TRUE(fs::exists(temp / "keep/file"));
  remove_tree(temp / "tree");  // nothing there: fine
}

TEST(Trees, NestedDeeperThanWeHaveDescriptorsAreRemovedToo) {
  test::TempFolder temp;
  ASSERT_EQ(mkdir((temp / "tree").c_str(), 0755), 0);
  const int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ASSERT_EQ(chdir((temp / "tree").c_str()), 0);
  for (int i = 0; i < 700; ++i) {
    ASSERT_EQ(mkdir("d", 0755), 0);
    ASSERT_EQ(chdir("d"), 0);
  }
  ASSERT_EQ(fchdir(here), 0);
  close(here);
  remove_tree(temp / "tree");
  EXPECT_THAT(names_in(temp.path()), ElementsAre());
}

TEST(Trees, GivenAwayWithoutFollowingLinks) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  test::TempFolder temp;
  fs::create_directories(temp / "tree/sub");
  touch(temp / "outside");
  touch(temp / "linked");
  touch(temp / "tree/sub/file");
  fs::create_symlink(temp / "outside", temp / "tree/link");
  fs::create_hard_link(temp / "linked", temp / "tree/hard");
  give_tree(temp / "tree", 61234, 61234, false);
  EXPECT_EQ(owner_of(temp / "tree"), 61234U);
  EXPECT_EQ(owner_of(temp / "tree/sub/file"), 61234U);
  EXPECT_EQ(owner_of(temp / "tree/link"), 61234U);
  EXPECT_EQ(owner_of(temp / "outside"), 0U);
  EXPECT_EQ(owner_of(temp / "linked"), 0U) << "a file with another name outside was given away";
  give_tree(temp / "tree", 61234, 61234, true);
  EXPECT_EQ(owner_of(temp / "tree/hard"), 61234U);
}

TEST(Trees, AFileIsReplacedAtOnceWithItsMode) {
  test::TempFolder temp;
  write_file(temp / "f", "one", 0600);
  write_file(temp / "f", "two", 0644);
  EXPECT_EQ(read_file(temp / "f"), "two");
  struct stat facts {};
  ASSERT_EQ(stat((temp / "f").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0644U);
  EXPECT_THAT(names_in(temp.path()), ElementsAre("f"));
  EXPECT_EQ(read_file(temp / "none"), std::nullopt);
}

TEST(Trees, ALockIsHeldByOne) {
  test::TempFolder temp;
  {
    const FileLock first(temp / "lock", true);
    EXPECT_TRUE(first.held());
    EXPECT_FALSE(FileLock(temp / "lock", false).held());
  }
  EXPECT_TRUE(FileLock(temp / "lock", false).held());
  EXPECT_FALSE(FileLock(temp / "no/such/folder", false).held());
}

TEST(RecordsOnDisk, AreReadBackAndHalfMadeOnesAreSeen) {
  test::TempFolder temp;
  const Records records(temp.path());
  const GroupName web{"shop.example", "d1", "web"};
  records.write(web, GroupRecord{DAVIT_OWNER_SERVICE, 3});
  EXPECT_EQ(records.group(web)->count, 3U);
  EXPECT_EQ(records.group(web)->owner_kind, DAVIT_OWNER_SERVICE);
  EXPECT_THAT(records.groups(), ElementsAre(web));

  const InstanceName first{web, 1};
  const InstanceName second{web, 2};
  make_folder(records.instance_folder(first), 0700);
  make_folder(records.instance_folder(second), 0700);
  records.write(first, InstanceRecord{DAVIT_OWNER_APP, "abc", 20001, true, "/app"});
  EXPECT_THAT(records.instances(), ElementsAre(first, second));
  EXPECT_EQ(records.instance(first)->digest, "abc");
  EXPECT_EQ(records.instance(first)->port, 20001U);
  EXPECT_TRUE(records.instance(first)->sandboxed);
  EXPECT_EQ(records.instance(first)->cwd, "/app");
  EXPECT_FALSE(records.instance(second));
  records.forget(web);
  EXPECT_FALSE(records.group(web));
}

TEST(RecordsOnDisk, WhatAPowerLossEmptiedIsNone) {
  test::TempFolder temp;
  const Records records(temp.path());
  const InstanceName first{{"shop", "d1", "web"}, 1};
  make_folder(records.instance_folder(first), 0700);
  std::ofstream(temp / "groups/shop.d1.web");
  std::ofstream(records.instance_folder(first) + "/record");
  EXPECT_FALSE(records.group(first.group));
  EXPECT_FALSE(records.instance(first));
}

}  // namespace
}  // namespace davit::process_plugin
