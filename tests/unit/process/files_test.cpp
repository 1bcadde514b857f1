// Careful file operations.
#include "process/files.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "process/unique_fd.hpp"
#include "tests/temp_folder.hpp"

namespace davit {
namespace {

namespace fs = std::filesystem;

mode_t mode_of(const fs::path& path) {
  struct stat info {};
  EXPECT_EQ(::lstat(path.c_str(), &info), 0);
  return info.st_mode & 07777;
}

TEST(Files, WritesWithTheExactModeAndLeavesNoTemporary) {
  test::TempFolder dir;
  ASSERT_TRUE(write_file_atomic(dir / "a", "one", 0600));
  ASSERT_TRUE(write_file_atomic(dir / "a", "two", 0666));
  EXPECT_EQ(*read_file(dir / "a"), "two");
  EXPECT_EQ(mode_of(dir / "a"), 0666U);
  EXPECT_EQ(std::distance(fs::directory_iterator(dir.path()), {}), 1);
}

TEST(Files, AFailedWriteKeepsTheOldContent) {
  test::TempFolder dir;
  ASSERT_TRUE(write_file_atomic(dir / "folder" / "x", "", 0600).has_value() == false);
  fs::create_directory(dir / "a");
  EXPECT_FALSE(write_file_atomic(dir / "a", "x", 0600)) << "a folder cannot be replaced by a file";
  EXPECT_EQ(std::distance(fs::directory_iterator(dir.path()), {}), 1);
}

TEST(Files, ReadRefusesMoreThanTheBoundAndSymlinks) {
  test::TempFolder dir;
  ASSERT_TRUE(write_file_volatile(dir / "a", "12345", 0600));
  EXPECT_FALSE(read_file(dir / "a", 4));
  EXPECT_TRUE(read_file(dir / "a", 5));
  fs::create_symlink("a", dir / "link");
  EXPECT_FALSE(read_file(dir / "link"));
  EXPECT_EQ(*read_named_file(dir / "link", 5), "12345");
  EXPECT_FALSE(read_named_file(dir / "link", 4));
  EXPECT_EQ(read_file(dir / "none").error().code, Code::kNotFound);
}

TEST(Files, MakesFoldersWithTheirModeButNotThroughSymlinks) {
  test::TempFolder dir;
  ASSERT_TRUE(make_dirs(dir / "x" / "y", 0711));
  EXPECT_EQ(mode_of(dir / "x" / "y"), 0711U);
  ASSERT_TRUE(make_dir(dir / "x", 0700));
  EXPECT_EQ(mode_of(dir / "x"), 0700U);
  fs::create_symlink("x", dir / "link");
  EXPECT_EQ(make_dir(dir / "link", 0700).error().code, Code::kConflict);
  std::ofstream(dir / "file") << "x";
  EXPECT_EQ(make_dir(dir / "file", 0700).error().code, Code::kConflict);
}

TEST(Files, RemoveTreeFollowsNoSymlink) {
  test::TempFolder dir;
  fs::create_directories(dir / "outside");
  std::ofstream(dir / "outside" / "precious") << "x";
  fs::create_directories(dir / "tree" / "sub");
  std::ofstream(dir / "tree" / "sub" / "f") << "x";
  fs::create_symlink(dir / "outside", dir / "tree" / "link");
  fs::create_symlink("../../outside", dir / "tree" / "sub" / "link");
  ::chmod((dir / "tree" / "sub").c_str(), 0);
  ASSERT_TRUE(remove_tree(dir / "tree"));
  EXPECT_FALSE(fs::exists(dir / "tree"));
  EXPECT_TRUE(fs::exists(dir / "outside" / "precious"));

  fs::create_directory_symlink(dir / "outside", dir / "link");
  ASSERT_TRUE(remove_tree(dir / "link"));
  EXPECT_TRUE(fs::exists(dir / "outside" / "precious"));
  EXPECT_TRUE(remove_tree(dir / "link")) << "nothing there is success";
}

TEST(Files, RemoveTreeEndsWithATreeThatIsDeeperThanAnyPath) {
  test::TempFolder dir;
  fs::create_directories(dir / "tree" / ".deep-1" / "x");
  std::ofstream(dir / "tree" / ".deep-2") << "x";
  const UniqueFd here(::open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(::chdir((dir / "tree").c_str()), 0);
  for (int i = 0; i < 700; ++i) {
    std::ofstream("f") << "x";
    ASSERT_EQ(::mkdir("nested", 0700), 0);
    ASSERT_EQ(::chdir("nested"), 0);
    ASSERT_EQ(::chmod("..", i > 0 ? 0500 : 0700), 0);
  }
  ASSERT_EQ(::fchdir(here.get()), 0);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{256, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const auto removed = remove_tree(dir / "tree");
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(removed) << removed.error().text();
  EXPECT_TRUE(fs::is_empty(dir.path()));
}

TEST(Files, RemoveTreeRefusesWhatIsNoName) {
  EXPECT_FALSE(remove_tree("/"));
  EXPECT_FALSE(remove_tree(".."));
  EXPECT_FALSE(remove_tree(""));
}

}  // namespace
}  // namespace davit
