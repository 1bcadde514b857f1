// Where units' cgroups of v2 are made and what is written there: against folders that look like a tree, and,
// where the machine has v2 with a memory controller, against the kernel.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "base/text.hpp"
#include "tests/temp_folder.hpp"

extern "C" {
#include "native/unit.h"
}

namespace davit {
namespace {

namespace fs = std::filesystem;

std::string text(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream all;
  all << file.rdbuf();
  return all.str();
}

bool mark_delegated(const fs::path& folder) {
  return ::setxattr(folder.c_str(), "user.delegate", "1", 1, 0) == 0 ||
         ::setxattr(folder.c_str(), "trusted.delegate", "1", 1, 0) == 0;
}

class CgroupTest : public testing::Test {
 protected:
  CgroupTest() : before_(fs::current_path()) {
    fs::create_directories(folder_ / "unit");
    fs::current_path(folder_ / "unit");  // as s6-supervise starts davit-unit
    spec_.name = "web.1";
    spec_.memory_bytes = 64 << 20;
    spec_.pids = 10;
    spec_.cpu_milli = 500;
    group(mount_);
    write(mount_ / "cgroup.controllers", "cpu memory pids\n");
  }
  ~CgroupTest() override {
    fs::current_path(before_);
    unit_cgroup_remove();
  }

  static void write(const fs::path& path, const std::string& content) { std::ofstream(path) << content; }
  static void group(const fs::path& path) {
    fs::create_directories(path);
    for (const char* name : {"cgroup.procs", "cgroup.subtree_control"}) write(path / name, "");
  }
  // The kernel makes these files with the folder.
  fs::path unit_group(const fs::path& base, bool with_memory = true) {
    group(base / "davit");
    const auto hash = fmt::format("{:016x}", fnv1a(fs::current_path().native()));
    const auto path = base / "davit" / ("web.1." + hash);
    group(path);
    for (const char* name : {"pids.max", "cpu.max"}) write(path / name, "");
    if (with_memory) write(path / "memory.max", "");
    return path;
  }
  int prepare(const std::string& own) {
    write(folder_ / "own", "4:memory:/elsewhere\n0::" + own + "\n");
    return unit_cgroup_prepare_at(&spec_, mount_.c_str(), (folder_ / "own").c_str());
  }

  fs::path before_;
  const test::TempFolder folder_;
  const fs::path mount_ = folder_ / "mount";
  unit_spec spec_{};
};

TEST_F(CgroupTest, WithoutDelegationTheMountIsTheBase) {
  const auto unit = unit_group(mount_);
  EXPECT_EQ(prepare("/"), 1);
  EXPECT_EQ(text(unit / "memory.max"), "67108864");
  EXPECT_EQ(text(unit / "pids.max"), "10");
  EXPECT_EQ(text(unit / "cpu.max"), "50000 100000");
  unit_cgroup_join();
  EXPECT_EQ(text(unit / "cgroup.procs"), "0");
  EXPECT_EQ(text("cgroups"), unit.native() + "\n");
  unit_cgroup_remove();
  EXPECT_FALSE(fs::exists("cgroups"));
}

TEST_F(CgroupTest, ControllersAreAskedForOneByOne) {
  unit_group(mount_);
  prepare("/");
  EXPECT_EQ(text(mount_ / "cgroup.subtree_control"), "+memory+cpu+pids");
  EXPECT_EQ(text(mount_ / "davit/cgroup.subtree_control"), "+memory+cpu+pids");
}

TEST_F(CgroupTest, AMissingControllerLosesOnlyItsOwnLimit) {
  const auto unit = unit_group(mount_, false);
  EXPECT_EQ(prepare("/"), 0) << "not all that was asked for";
  EXPECT_EQ(text(unit / "pids.max"), "10");
  EXPECT_EQ(text(unit / "cpu.max"), "50000 100000");
}

TEST_F(CgroupTest, TheOwnGroupIsTheBaseIfItIsDelegated) {
  const auto own = mount_ / "system.slice/davit.service";
  const auto unit = unit_group(own);
  group(own);
  if (::geteuid() == 0) {
    prepare("/system.slice/davit.service");
    EXPECT_EQ(text(own / "cgroup.subtree_control"), "") << "not ours";
    unit_cgroup_remove();
    if (!mark_delegated(own)) GTEST_SKIP() << "no extended attributes in the folder for temporary files";
  }
  EXPECT_EQ(prepare("/system.slice/davit.service"), 1);
  EXPECT_EQ(text(own / "cgroup.subtree_control"), "+memory+cpu+pids");
  EXPECT_EQ(text(unit / "memory.max"), "67108864");
}

TEST_F(CgroupTest, ProcessesThatAreThereMakeRoom) {
  const auto own = mount_ / "davit.service";
  const auto unit = unit_group(own);
  group(own);
  if (::geteuid() == 0 && !mark_delegated(own))
    GTEST_SKIP() << "no extended attributes in the folder for temporary files";
  write(own / "cgroup.type", "domain\n");
  write(own / "cgroup.procs", "11\n12\n");
  group(own / "davit.supervision");
  EXPECT_EQ(prepare("/davit.service"), 1);
  EXPECT_EQ(text(own / "davit.supervision/cgroup.procs").substr(0, 4), "1112");
  unit_cgroup_remove();
  write(unit / "pids.max", "");
  EXPECT_EQ(prepare("/davit.service/davit.supervision"), 1) << "where we have moved to";
  EXPECT_EQ(text(unit / "pids.max"), "10");
}

// The kernel's own tree.
TEST_F(CgroupTest, TheKernelLimitsAGroupBelowADelegatedOne) {
  const fs::path real = "/sys/fs/cgroup";
  if (text(real / "cgroup.controllers").find("memory") == std::string::npos)
    GTEST_SKIP() << "SKIPPED aloud: this machine has no memory controller on cgroup v2";
  const auto name = "davit-test-" + std::to_string(::getpid());
  std::ofstream(real / "cgroup.subtree_control") << "+memory +cpu +pids";
  if (::geteuid() != 0 || ::mkdir((real / name).c_str(), 0755) != 0)
    GTEST_SKIP() << "SKIPPED aloud: cgroup v2 is not writable";
  ASSERT_TRUE(mark_delegated(real / name));
  write(folder_ / "own", "0::/" + name + "\n");
  const pid_t child = ::fork();
  if (child == 0) {
    write(real / name / "cgroup.procs", "0");
    const bool good = unit_cgroup_prepare_at(&spec_, real.c_str(), (folder_ / "own").c_str()) == 1;
    unit_cgroup_join();
    const auto group = text("/proc/self/cgroup");
    ::_exit(good && group.find("/davit/web.1.") != std::string::npos ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  const auto made = text("cgroups");
  const fs::path unit = made.substr(0, made.find('\n'));
  EXPECT_EQ(text(unit / "memory.max"), "67108864\n");
  EXPECT_EQ(text(unit / "pids.max"), "10\n");
  for (const auto& path : {unit, real / name / "davit", real / name / "davit.supervision", real / name})
    ::rmdir(path.c_str());
}

}  // namespace
}  // namespace davit
