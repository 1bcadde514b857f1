// Below which folder of cgroup v2 tasks' groups are made, against folders that look like a tree.
#include "cgroup_base.hpp"

#include <gtest/gtest.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/temp_folder.hpp"

namespace davit::process_plugin {
namespace {

namespace fs = std::filesystem;
using sandbox::cgroup2_base;

TEST(CgroupBase, IsTheOwnGroupIfDelegatedElseTheMount) {
  const test::TempFolder folder;
  const std::string mount = folder.path();
  const std::string own = mount + "/a.slice/davit.service";
  const std::string table = mount + "/own";
  fs::create_directories(own);
  std::ofstream(own + "/cgroup.subtree_control") << "";
  std::ofstream(table) << "4:memory:/x\n0::/a.slice/davit.service/davit.supervision\n";
  EXPECT_EQ(cgroup2_base(mount, mount + "/none"), mount);
  EXPECT_EQ(cgroup2_base("/nowhere", table), "");
  if (geteuid() == 0) {
    EXPECT_EQ(cgroup2_base(mount, table), mount) << "root may write anywhere: that says nothing";
    if (setxattr(own.c_str(), "user.delegate", "1", 1, 0) != 0 &&
        setxattr(own.c_str(), "trusted.delegate", "1", 1, 0) != 0)
      GTEST_SKIP() << "no extended attributes in the folder for temporary files";
  }
  EXPECT_EQ(cgroup2_base(mount, table), own);
  std::ofstream(table) << "0::/\n";
  EXPECT_EQ(cgroup2_base(mount, table), mount);
  std::ofstream(table) << "0::/../outside\n";
  EXPECT_EQ(cgroup2_base(mount, table), mount);
}

}  // namespace
}  // namespace davit::process_plugin
