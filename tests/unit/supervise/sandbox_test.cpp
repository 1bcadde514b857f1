// Units in a real bwrap sandbox with davit-init as pid 1, by root with the drop inside, and by a normal user.
#include <sys/stat.h>

#include <array>
#include <fstream>

#include "process/process_runner.hpp"
#include "tests/unit/supervise/tree_fixture.hpp"

namespace davit {
namespace {

using test::TreeTest;
using ::testing::HasSubstr;

constexpr uid_t kThrowAwayUid = 54321;  // an account is not needed, and none is made

class SandboxTest : public TreeTest {
 protected:
  void SetUp() override {
    TreeTest::SetUp();
    Command probe;
    probe.argv = {"/usr/bin/bwrap", "--unshare-all", "--ro-bind", "/", "/", "/bin/true"};
    probe.out = OutputNone{};
    probe.err = OutputSame{};
    const auto exit = make_process_runner()->run(probe);
    if (!exit || !exit->ok()) GTEST_SKIP() << "NO SANDBOX HERE: bwrap may not make namespaces";
    std::filesystem::create_directory(dir / "app");
    ASSERT_EQ(::chmod(dir.path().c_str(), 0711), 0);
    if (::getuid() == 0) {
      ASSERT_EQ(::chown((dir / "app").c_str(), kThrowAwayUid, kThrowAwayUid), 0);
    }
  }

  [[nodiscard]] Unit sandboxed(const std::string& name, const std::string& script) const {
    auto unit = bash(name, "");
    const auto init = (std::filesystem::path(LIBEXEC_DIR) / "davit-init").native();
    const auto app = (dir / "app").native();
    unit.argv = {"/usr/bin/bwrap", "--unshare-all", "--share-net", "--die-with-parent",
                 "--new-session",  "--as-pid-1",    "--info-fd",   "9",
                 "--ro-bind",      "/usr",          "/usr",        "--symlink",
                 "usr/bin",        "/bin",          "--symlink",   "usr/lib",
                 "/lib",           "--symlink",     "usr/lib64",   "/lib64",
                 "--proc",         "/proc",         "--dev",       "/dev",
                 "--tmpfs",        "/tmp",          "--bind",      app,
                 "/app",           "--ro-bind",     init,          "/tmp/davit-init",
                 "--chdir",        "/app"};
    const auto add = [&](std::initializer_list<std::string> words) {
      unit.argv.insert(unit.argv.end(), words);
    };
    if (::getuid() == 0) {
      unit.argv[1] = "--unshare-pid";
      add({"--unshare-ipc", "--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID",
           "--cap-add", "CAP_SETPCAP", "/tmp/davit-init", "--lifeline-fd", "8", "--uid",
           std::to_string(kThrowAwayUid), "--gid", std::to_string(kThrowAwayUid)});
      std::erase(unit.argv, "--share-net");
      unit.log_owner = kThrowAwayUid;
    } else {
      add({"/tmp/davit-init", "--lifeline-fd", "8"});
    }
    add({"--", "/bin/bash", "-c", script});
    unit.sandboxed = true;
    unit.log = UnitLog{dir / "logs" / name, 1'000'000, 2};
    return unit;
  }
  [[nodiscard]] std::string log_of(const std::string& name) const {
    return text("logs/" + name + "/current");
  }
  [[nodiscard]] bool logged(const std::string& name, const std::string& words) const {
    return log_of(name).find("  " + words + "\n") != std::string::npos;
  }
  // All that runs in the unit's session tree, from outside.
  [[nodiscard]] std::vector<pid_t> tree_of(pid_t root) const {
    std::vector<pid_t> all = {root};
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto pid = std::to_string(all[i]);
      std::istringstream children(read_file("/proc/" + pid + "/task/" + pid + "/children").value_or(""));
      for (pid_t child = 0; children >> child;) all.push_back(child);
    }
    return all;
  }
  [[nodiscard]] static pid_t parent_of(pid_t pid) {
    const auto status = read_file("/proc/" + std::to_string(pid) + "/status").value_or("");
    return std::stoi(status.substr(status.find("\nPPid:") + 6));
  }
  void expect_all_dead(const std::vector<pid_t>& pids) {
    for (const auto pid : pids) EXPECT_TRUE(eventually([&] { return !alive(pid); })) << pid;
  }

  const std::string kForever = "while :; do sleep 0.05; done";
  // A Procfile line whose bash waits for a pipeline; every part says goodbye.
  const std::string kPolite = "(trap 'echo bye1; exit 0' TERM; echo up1 >/app/up1; " + kForever +
                              ") | (trap 'cat; echo bye2; exit 0' TERM; echo up2; " + kForever + ")";
};

TEST_F(SandboxTest, TheAppIsAloneUnprivilegedAndItsExitCodeComesOut) {
  auto unit =
      sandboxed("web",
                "echo pid=$$ uid=$(id -u); ls /; grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status; "
                "ls /proc/self/fd; echo x >/dev/stdout; exit 7");
  unit.restart = RestartPolicy::kNo;
  ensure(unit);
  EXPECT_EQ(wait_down("web").last_exit_code, 7);
  const auto uid = ::getuid() == 0 ? kThrowAwayUid : ::getuid();
  EXPECT_THAT(log_of("web"), HasSubstr("  pid=2 uid=" + std::to_string(uid)));
  EXPECT_THAT(log_of("web"), HasSubstr("CapEff:\t0000000000000000\n"));
  EXPECT_THAT(log_of("web"), HasSubstr("NoNewPrivs:\t1\n"));
  EXPECT_TRUE(logged("web", "x")) << "/dev/stdout can be opened";
  EXPECT_TRUE(logged("web", "3")) << "ls's own";
  EXPECT_FALSE(logged("web", "4")) << "no descriptor of ours";
}

TEST_F(SandboxTest, StopReachesEveryProcessInside) {
  ensure(sandboxed("web", kPolite));
  const auto up = wait_up("web");
  ASSERT_TRUE(eventually([&] { return logged("web", "up2") && text("app/up1") == "up1\n"; }));
  const auto all = tree_of(unit_pid("web"));
  ASSERT_TRUE(supervisor->down("web"));
  const auto down = wait_down("web");
  EXPECT_TRUE(logged("web", "bye2")) << log_of("web");
  EXPECT_TRUE(logged("web", "bye1")) << log_of("web");
  EXPECT_EQ(down.last_signal, 0) << "not killed";
  EXPECT_FALSE(alive(up.pid));
  expect_all_dead(all);
}

TEST_F(SandboxTest, AStopThatComesBeforeTheAppIsNotLost) {
  for (int i = 0; i < 10; ++i) {
    ensure(sandboxed("web", "trap 'exit 0' TERM; " + kForever));
    ASSERT_TRUE(
        eventually([&] { return files("web").state() && files("web").state()->phase == DAVIT_UNIT_UP; }));
    ASSERT_TRUE(supervisor->down("web"));  // bwrap has hardly begun
    const auto down = wait_down("web");
    EXPECT_EQ(down.starts, 1U);
    EXPECT_EQ(down.last_signal, 0) << "davit-init got the signal, and nothing else ended it";
    ASSERT_TRUE(supervisor->remove("web", 0));
  }
}

TEST_F(SandboxTest, WhatIgnoresTheStopSignalIsKilledWithAllItsChildren) {
  auto unit = sandboxed("web", "trap '' TERM; (trap '' TERM; setsid sleep 1000) & echo up; " + kForever);
  unit.stop_timeout_ms = 300;
  ensure(unit);
  wait_up("web");
  ASSERT_TRUE(eventually([&] { return logged("web", "up"); }));
  const auto all = tree_of(unit_pid("web"));
  EXPECT_GE(all.size(), 5U);
  ASSERT_TRUE(supervisor->remove("web", 0));
  expect_all_dead(all);
}

TEST_F(SandboxTest, KillOfDavitUnitKillsTheSandboxAndItComesBack) {
  ensure(sandboxed("web", "setsid sleep 1000 & echo up; " + kForever));
  const auto before = wait_up("web");
  ASSERT_TRUE(eventually([&] { return logged("web", "up"); }));
  auto all = tree_of(unit_pid("web"));
  kill_and_wait(unit_pid("web"));
  ASSERT_TRUE(eventually([&] {
    const auto status = supervisor->status("web");
    return status && status->up && status->pid != before.pid;
  }));
  expect_all_dead(all);
}

// The next davit-unit would see to what it knows of; when all of supervision is killed there is none, and at
// a start the pid inside is not known yet.
TEST_F(SandboxTest, KillOfDavitUnitLeavesNothingAlsoIfNobodyComesAfterIt) {
  ensure(sandboxed("web", "setsid sleep 1000 & echo up; " + kForever));
  wait_up("web");
  ASSERT_TRUE(eventually([&] { return logged("web", "up"); }));
  const auto all = tree_of(unit_pid("web"));
  ASSERT_GE(all.size(), 4U);
  const auto supervisor_of = parent_of(unit_pid("web"));
  ASSERT_EQ(::kill(supervisor_of, SIGSTOP), 0);
  ASSERT_EQ(::kill(unit_pid("web"), SIGKILL), 0);
  for (const auto pid : all) {
    if (pid == all.front()) continue;  // a zombie of the one that stands still
    EXPECT_TRUE(eventually([&] { return !alive(pid); })) << pid;
  }
  ASSERT_EQ(::kill(supervisor_of, SIGCONT), 0);
}

TEST_F(SandboxTest, KillOfDavitInitEndsTheInstanceAndItComesBack) {
  ensure(sandboxed("web", "setsid sleep 1000 & echo up; " + kForever));
  const auto before = wait_up("web");
  ASSERT_TRUE(eventually([&] { return logged("web", "up"); }));
  const auto all = tree_of(before.pid);
  EXPECT_GE(all.size(), 3U) << "init, bash, sleep";
  EXPECT_EQ(supervisor->status("web")->starts, 1U);
  ASSERT_TRUE(supervisor->signal("web", SIGKILL)) << "the unit's pid is davit-init's";
  wait_exits("web", 1);
  ASSERT_TRUE(eventually([&] {
    const auto status = supervisor->status("web");
    return status && status->up && status->pid != before.pid;
  }));
  expect_all_dead(all);
}

TEST_F(SandboxTest, OtherSignalsGoToTheAppItself) {
  ensure(sandboxed("web", "trap 'echo got-usr2' USR2; echo up; " + kForever));
  wait_up("web");
  ASSERT_TRUE(eventually([&] { return logged("web", "up"); }));
  ASSERT_TRUE(supervisor->signal("web", SIGUSR2));
  EXPECT_TRUE(eventually([&] { return logged("web", "got-usr2"); }));
}

// The same by a user without any right. Needs root to become one.
TEST(NormalUserTest, NEEDS_ROOT_SandboxesStopsAndLogsWorkForANormalUser) {
  if (::getuid() != 0)
    GTEST_SKIP() << "NEEDS ROOT: becoming another user (the tests themselves ran as a normal one)";
  Command command;
  command.argv = {"/proc/self/exe"};
  std::array<char, 4096> self{};
  ASSERT_GT(::readlink("/proc/self/exe", self.data(), self.size() - 1), 0);
  command.argv = {self.data(),
                  "--gtest_filter=SandboxTest.*:LogTest.*:TreeTest.StopReaches*:RecoveryTest.KillOfDavit*"};
  command.env = {"PATH=/usr/bin:/bin", "TMPDIR=/tmp"};
  command.run_as = RunAs{kThrowAwayUid, kThrowAwayUid, {}};
  command.cwd = "/tmp";
  command.out = OutputCapture{};
  command.err = OutputSame{};
  const auto exit = make_process_runner()->run(command);
  ASSERT_TRUE(exit) << exit.error().text();
  EXPECT_TRUE(exit->ok()) << exit->text() << "\n" << exit->out;
  EXPECT_THAT(exit->out, HasSubstr("[  PASSED  ]"));
}

}  // namespace
}  // namespace davit
