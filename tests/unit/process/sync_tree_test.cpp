// That a tree is on the disk cannot be seen from here; that every kind of entry is passed can.
#include "process/sync_tree.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/temp_folder.hpp"

namespace davit {
namespace {

namespace fs = std::filesystem;

TEST(SyncTree, PassesWhateverAServerLeavesInItsFolder) {
  const test::TempFolder dir;
  fs::create_directories(dir.path() / "base/1");
  std::ofstream(dir.path() / "base/1/2619") << "rows";
  fs::create_symlink("/nowhere", dir.path() / "link");
  ASSERT_EQ(::mkfifo((dir.path() / "pipe").c_str(), 0600), 0);
  EXPECT_TRUE(sync_tree(dir.path()));
  EXPECT_TRUE(sync_folder(dir.path()));
}

TEST(SyncTree, WhatIsNotThereIsAnError) {
  const test::TempFolder dir;
  EXPECT_FALSE(sync_tree(dir.path() / "none"));
  EXPECT_FALSE(sync_folder(dir.path() / "none"));
}

}  // namespace
}  // namespace davit
