// Limits of units by cgroups, where this machine lets us.
#include "tests/unit/supervise/tree_fixture.hpp"

namespace davit {
namespace {

using test::TreeTest;

class LimitsTest : public TreeTest {
 protected:
  static bool writable() {
    return ::access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0
               ? ::access("/sys/fs/cgroup/cgroup.subtree_control", W_OK) == 0
               : ::access("/sys/fs/cgroup/pids", W_OK) == 0;
  }
  [[nodiscard]] Unit once(const std::string& name, const std::string& script) const {
    auto unit = bash(name, script);
    unit.restart = RestartPolicy::kNo;
    return unit;
  }
};

TEST_F(LimitsTest, OpenFilesAreLimitedEverywhere) {
  auto unit = once("web", "ulimit -n >limit");
  unit.limits.nofile = 123;
  ensure(unit);
  wait_down("web");
  EXPECT_EQ(text("limit"), "123\n");
}

TEST_F(LimitsTest, WithoutLimitsThereIsNoCgroup) {
  ensure(once("web", "cat /proc/self/cgroup >groups; exec sleep 0.1"));
  EXPECT_FALSE(wait_down("web").limited);
  EXPECT_EQ(text("groups").find("davit"), std::string::npos);
}

TEST_F(LimitsTest, MemoryAndProcessesAreLimitedAndTheCgroupGoesAway) {
  if (!writable()) GTEST_SKIP() << "NO CGROUPS HERE: they are not writable";
  auto unit = once("web",
                   "cat /proc/self/cgroup >groups; i=0; while [ $i -lt 40 ]; do sleep 1000 & i=$((i+1)); "
                   "done 2>/dev/null; "
                   "exit 0");
  unit.argv[0] = "/bin/sh";  // bash would try for seconds
  unit.limits.pids = 10;
  unit.limits.memory_bytes = 64 * 1024 * 1024;
  unit.limits.cpu_quota = 0.5;
  ensure(unit);
  const auto status = wait_down("web");
  EXPECT_TRUE(status.limited);
  EXPECT_NE(status.last_exit_code, 0) << "sh could not fork forty children";
  EXPECT_NE(text("groups").find("davit/web."), std::string::npos) << text("groups");

  auto hungry = once("hungry", "head -c 200000000 /dev/zero | tail >/dev/null");
  hungry.limits.memory_bytes = 32 * 1024 * 1024;
  ensure(hungry);
  const auto end = wait_down("hungry");
  EXPECT_EQ(end.last_exit_code, 137) << "tail keeps it all, and the kernel kills it";
  for (const auto* name : {"web", "hungry"}) ASSERT_TRUE(supervisor->remove(name, 0));
  for (const auto* root :
       {"/sys/fs/cgroup/davit", "/sys/fs/cgroup/memory/davit", "/sys/fs/cgroup/pids/davit"}) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(root, ignored)) {
      const auto name = entry.path().filename().native();
      EXPECT_FALSE(name.starts_with("web.") || name.starts_with("hungry.")) << entry.path();
    }
  }
}

}  // namespace
}  // namespace davit
