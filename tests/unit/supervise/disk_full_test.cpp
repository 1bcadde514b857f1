// A full disk: s6 cannot write down what it knows of a unit any more. It is stopped and started all the same.
#include <fcntl.h>
#include <sys/mount.h>

#include "tests/unit/supervise/tree_fixture.hpp"

namespace davit::test {
namespace {

class FullDisk : public TreeTest {
 protected:
  void SetUp() override {
    if (::getuid() != 0) GTEST_SKIP() << "NO SMALL DISK HERE: mounting one needs root";
    std::filesystem::create_directory(root());
    if (::mount("tmpfs", root().c_str(), "tmpfs", 0, "size=4m,mode=700") != 0)
      GTEST_SKIP() << "NO SMALL DISK HERE: a tmpfs may not be mounted";
    mounted_ = true;
    quiet_log_expected = false;
    TreeTest::SetUp();
  }
  void TearDown() override {
    if (!mounted_) return;
    std::filesystem::remove(filler());
    TreeTest::TearDown();
    ::umount2(root().c_str(), MNT_DETACH);
  }
  [[nodiscard]] std::filesystem::path filler() const { return root() / "filler"; }
  void fill() const {
    const UniqueFd fd(::open(filler().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    const std::string block(4096, 'x');
    while (::write(fd.get(), block.data(), block.size()) > 0) {
    }
  }
  bool mounted_ = false;
};

TEST_F(FullDisk, UnitsAreStoppedAndStarted) {
  ensure(bash("web", "exec sleep 1000"));
  const auto first = wait_up("web");
  fill();
  ASSERT_TRUE(supervisor->down("web"));
  wait_down("web");
  EXPECT_FALSE(alive(first.pid));
  ASSERT_TRUE(supervisor->up("web"));
  const auto second = wait_up("web");
  EXPECT_NE(second.pid, first.pid);
  EXPECT_TRUE(alive(second.pid));
  EXPECT_EQ(supervisor->status("web")->phase, UnitPhase::kUp);
  ASSERT_TRUE(supervisor->down("web"));
  wait_down("web");
  EXPECT_FALSE(alive(second.pid));
}

TEST_F(FullDisk, WhatEndsByItselfComesBack) {
  ensure(bash("web", "exec sleep 1000"));
  const auto first = wait_up("web");
  fill();
  ASSERT_TRUE(supervisor->signal("web", SIGKILL));
  wait_exits("web", 1);
  EXPECT_TRUE(eventually([&] {
    const auto status = supervisor->status("web");
    return status && status->up && status->pid != first.pid;
  }));
  ASSERT_TRUE(supervisor->remove("web", kPatienceMs));
}

}  // namespace
}  // namespace davit::test
