// Units in a real s6 tree: the everyday life.
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <cstdio>

#include "process/process_runner.hpp"
#include "tests/unit/supervise/tree_fixture.hpp"

namespace davit {
namespace {

using test::TreeTest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(TreeTest, EnsureStartsAndRemoveLeavesNothing) {
  ensure(bash("shop.d1.web.1", "exec sleep 1000"));
  const auto up = wait_up("shop.d1.web.1");
  EXPECT_TRUE(up.up);
  EXPECT_TRUE(up.ready);
  EXPECT_TRUE(up.wanted_up);
  EXPECT_EQ(up.starts, 1U);
  EXPECT_TRUE(alive(up.pid));
  ASSERT_TRUE(supervisor->remove("shop.d1.web.1", 0));
  EXPECT_FALSE(alive(up.pid));
  EXPECT_EQ(supervisor->status("shop.d1.web.1").error().code, Code::kNotFound);
  for (const auto* folder : {"scan", "units", "orphans", "locks"}) {
    for (const auto& entry : std::filesystem::directory_iterator(root() / folder)) {
      EXPECT_EQ(entry.path().filename(), ".s6-svscan") << entry.path();
    }
  }
  EXPECT_TRUE(supervisor->remove("shop.d1.web.1", 0)) << "twice is fine";
}

TEST_F(TreeTest, EnsureIsIdempotentAndReplacesAChangedDefinition) {
  const auto unit = bash("nginx", "exec sleep 1000");
  ensure(unit);
  const auto first = wait_up("nginx").pid;
  ensure(unit);
  EXPECT_EQ(wait_up("nginx").pid, first);
  ensure(bash("nginx", "exec sleep 1001"));
  const auto second = wait_up("nginx").pid;
  EXPECT_NE(second, first);
  EXPECT_FALSE(alive(first)) << "the old one was waited for";
}

TEST_F(TreeTest, ListsByPrefix) {
  for (const auto* name : {"shop.d1.web.1", "shop.d1.web.2", "other.d1.web.1"})
    ensure(bash(name, "exec sleep 1000"));
  EXPECT_THAT(*supervisor->list("shop."), ElementsAre("shop.d1.web.1", "shop.d1.web.2"));
  EXPECT_EQ(supervisor->list()->size(), 3U);
}

TEST_F(TreeTest, RestartsAndCountsWhatEnds) {
  ensure(bash("worker", "echo run >>runs; exit 3"));
  const auto status = wait_exits("worker", 2);
  EXPECT_GE(status.exits, 2U);
  EXPECT_EQ(status.last_exit_code, 3);
  EXPECT_EQ(status.last_signal, 0);
  EXPECT_GE(status.quick_failures, 2U);
}

TEST_F(TreeTest, TellsTheSignalThatEndedIt) {
  auto unit = bash("crash", "kill -SEGV $$");
  unit.restart = RestartPolicy::kNo;
  ensure(unit);
  const auto status = wait_exits("crash", 1);
  EXPECT_EQ(status.last_signal, SIGSEGV);
  EXPECT_FALSE(status.last_exit_code);
}

TEST_F(TreeTest, RunsOnceWhenAskedTo) {
  auto unit = bash("task", "echo run >>runs; exit 4");
  unit.restart = RestartPolicy::kNo;
  ensure(unit);
  const auto status = wait_down("task");
  EXPECT_FALSE(status.wanted_up);
  EXPECT_EQ(status.last_exit_code, 4);
  EXPECT_EQ(status.starts, 1U);
  const auto late = supervisor->wait("task", {WaitFor::kUp, 0, 30'000, std::nullopt});
  ASSERT_FALSE(late) << "it will not come up, and wait() says so at once";
  EXPECT_EQ(late.error().code, Code::kFailed);
  ASSERT_TRUE(supervisor->stop_tree(test::kPatienceMs));
  ASSERT_TRUE(supervisor->ensure_tree());
  ensure(bash("other", "exec sleep 1000"));
  wait_up("other");
  EXPECT_EQ(text("runs"), "run\n") << "nor with the next tree";
}

TEST_F(TreeTest, GivesUpAfterQuickFailures) {
  auto unit = bash("flaky", "echo run >>runs; exit 1");
  unit.restart = RestartPolicy::kOnFailure;
  unit.max_failures = 2;
  ensure(unit);
  const auto status = wait_down("flaky");
  EXPECT_EQ(status.exits, 2U);
  EXPECT_EQ(text("runs"), "run\nrun\n");
  ASSERT_TRUE(supervisor->up("flaky"));
  wait_exits("flaky", 3);
}

TEST_F(TreeTest, WaitsOutABackoffThatUpCutsShort) {
  auto unit = bash("flaky", "echo run >>runs; exit 1");
  unit.backoff = {3'600'000, 3'600'000, 10'000};
  ensure(unit);
  wait_exits("flaky", 1);
  ASSERT_TRUE(eventually([&] { return files("flaky").state()->phase == DAVIT_UNIT_WAITING; }));
  const auto status = *supervisor->status("flaky");
  EXPECT_EQ(status.phase, UnitPhase::kWaiting);
  EXPECT_EQ(status.quick_failures, 1U);
  EXPECT_TRUE(status.wanted_up);
  EXPECT_FALSE(status.up);
  ASSERT_TRUE(supervisor->up("flaky"));
  EXPECT_EQ(wait_exits("flaky", 2).quick_failures, 1U) << "a fresh backoff";
  ASSERT_TRUE(supervisor->remove("flaky", 0)) << "a waiting unit can be removed at once";
}

TEST_F(TreeTest, DownStaysDownAndUpBringsItBack) {
  ensure(bash("web", "exec sleep 1000"));
  const auto pid = wait_up("web").pid;
  ASSERT_TRUE(supervisor->down("web"));
  const auto down = wait_down("web");
  EXPECT_FALSE(alive(pid));
  EXPECT_FALSE(down.wanted_up);
  EXPECT_EQ(down.quick_failures, 0U) << "a stop is no failure";
  ASSERT_TRUE(supervisor->stop_tree(test::kPatienceMs));
  ASSERT_TRUE(supervisor->ensure_tree());
  ASSERT_TRUE(eventually([&] { return files("web").listening(); }));
  EXPECT_EQ(supervisor->status("web")->phase, UnitPhase::kDown);
  ASSERT_TRUE(supervisor->up("web"));
  wait_up("web");
}

TEST_F(TreeTest, AStopThatMeetsAStartLeavesNothingThatStartsLater) {
  for (int round = 0; round < 20; ++round) {
    const std::string name = "web" + std::to_string(round);
    ensure(bash(name, "exec sleep 1000"));
    ASSERT_TRUE(supervisor->down(name));
    wait_down(name);
    const auto s6 = files(name).s6_status();
    ASSERT_TRUE(s6);
    EXPECT_EQ(s6->pid, 0);
    EXPECT_FALSE(s6->wanted_up) << "it has not heard of the stop";
  }
}

TEST_F(TreeTest, SignalReachesTheProgram) {
  ensure(bash("web", "trap 'echo got-usr1 >>seen' USR1; echo ready >>seen; while :; do sleep 0.05; done"));
  wait_up("web");
  ASSERT_TRUE(eventually([&] { return has_line("seen", "ready"); }));
  ASSERT_TRUE(supervisor->signal("web", SIGUSR1));
  EXPECT_TRUE(eventually([&] { return has_line("seen", "got-usr1"); }));
  ASSERT_TRUE(supervisor->down("web"));
  wait_down("web");
  EXPECT_EQ(supervisor->signal("web", SIGUSR1).error().code, Code::kConflict);
}

TEST_F(TreeTest, StopReachesEveryProcessOfAProcfileLine) {
  // bash waits for a foreground child and forwards nothing: the children must get the signal themselves.
  ensure(bash("web",
              "(trap 'echo child >>seen; exit 0' TERM; echo up1 >>seen; while :; do sleep 0.05; done) | "
              "(trap 'echo grandchild >>seen; exit 0' TERM; echo up2 >>seen; while :; do sleep 0.05; done)"));
  wait_up("web");
  ASSERT_TRUE(eventually([&] { return has_line("seen", "up1") && has_line("seen", "up2"); }));
  ASSERT_TRUE(supervisor->remove("web", 0));
  EXPECT_TRUE(has_line("seen", "child"));
  EXPECT_TRUE(has_line("seen", "grandchild"));
}

TEST_F(TreeTest, StopSignalGoesToTheFirstProcessOnlyWhenAskedSo) {
  auto unit = bash("nginx",
                   "(trap 'echo child >>seen' QUIT; echo up1 >>seen; while :; do sleep 0.05; done) & "
                   "trap 'echo master >>seen; exit 0' QUIT; echo up2 >>seen; while :; do sleep 0.05; done");
  unit.stop_signal = SIGQUIT;
  unit.stop_all = false;
  unit.stop_timeout_ms = 500;  // what ignores it lives that long
  ensure(unit);
  ASSERT_TRUE(eventually([&] { return has_line("seen", "up1") && has_line("seen", "up2"); }));
  ASSERT_TRUE(supervisor->down("nginx"));
  ASSERT_TRUE(eventually([&] { return has_line("seen", "master"); }));
  ASSERT_TRUE(supervisor->remove("nginx", 0));
  EXPECT_FALSE(has_line("seen", "child"));
}

TEST_F(TreeTest, KillsWhatIgnoresTheStopSignal) {
  auto unit = bash("stubborn",
                   "trap '' TERM; (trap '' TERM; echo $BASHPID >>pids; while :; do sleep 0.05; done) & "
                   "echo $$ >>pids; while :; do sleep 0.05; done");
  unit.stop_timeout_ms = 200;
  ensure(unit);
  const auto pid = wait_up("stubborn").pid;
  ASSERT_TRUE(eventually([&] { return std::ranges::count(text("pids"), '\n') == 2; }));
  ASSERT_TRUE(supervisor->down("stubborn"));
  EXPECT_EQ(wait_down("stubborn").last_signal, SIGKILL);
  EXPECT_FALSE(alive(pid));
  std::istringstream pids(text("pids"));
  for (pid_t each = 0; pids >> each;) EXPECT_FALSE(alive(each)) << each;
}

TEST_F(TreeTest, NothingOutlivesAProgramThatEndsByItself) {
  auto unit = bash("task", "setsid sleep 1000 & echo $! >pid; exit 0");
  unit.restart = RestartPolicy::kNo;
  ensure(unit);
  wait_down("task");
  EXPECT_FALSE(alive(std::stoi(text("pid")))) << "not even in a session of its own";
}

TEST_F(TreeTest, EnvironmentIsExactAndSecretOnDisk) {
  auto unit = bash("web", "");
  unit.argv = {"/bin/sh", "-c", "/usr/bin/env -0 >env.new; /bin/mv env.new env; exec /bin/sleep 1000"};
  unit.env = {{"SECRET", "line1\nline2\xff = x"}, {"EMPTY", ""}};
  ensure(unit);
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(dir / "env"); }));
  EXPECT_THAT(text("env"), HasSubstr(std::string("SECRET=line1\nline2\xff = x\0", 23)));
  EXPECT_EQ(text("env").find("PATH="), std::string::npos) << "nothing inherited";
  struct stat info {};
  ASSERT_EQ(::stat((root() / "units" / "web" / "spec").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  ASSERT_EQ(::stat(root().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
  for (const pid_t pid : {unit_pid("web"), *files("web").supervisor(), svscan_pid()}) {
    EXPECT_EQ(read_file("/proc/" + std::to_string(pid) + "/cmdline")->find("line1"), std::string::npos);
    EXPECT_EQ(read_file("/proc/" + std::to_string(pid) + "/environ")->find("line1"), std::string::npos);
  }
}

TEST_F(TreeTest, AProgramHasNoDescriptorsOfOthers) {
  ensure(bash("web", "ls -l /proc/self/fd >fds.new; mv fds.new fds; exec sleep 1000"));
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(dir / "fds"); }));
  const auto fds = text("fds");
  EXPECT_EQ(std::ranges::count(fds, '\n'), 1 + 4) << fds;  // total, 0-2, ls's own
}

TEST_F(TreeTest, TheTreeHoldsNothingOfWhoeverStartedIt) {
  int hook[2];
  ASSERT_EQ(::pipe(hook), 0);  // a git hook's stdout, open in every child
  std::fflush(stdout);         // ThreadSanitizer's _exit would do it, too
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(hook[1], 1);
    ::dup2(hook[1], 2);
    ::setenv("GIT_DIR", "/leak", 1);
    ::_exit(supervisor->ensure(bash("web", "exec sleep 1000")) ? 0 : 1);
  }
  ::close(hook[1]);
  int status = 1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  pollfd watched{hook[0], POLLIN, 0};
  ASSERT_EQ(::poll(&watched, 1, 10'000), 1) << "the hook's pipe must end: git push waits for it";
  char byte = 0;
  EXPECT_EQ(::read(hook[0], &byte, 1), 0);
  ::close(hook[0]);
  wait_up("web");
  const auto svscan = svscan_pid();
  EXPECT_EQ(::getsid(svscan) != ::getsid(0), true);
  EXPECT_EQ(read_file("/proc/" + std::to_string(svscan) + "/environ")->find("GIT_DIR"), std::string::npos);
}

TEST_F(TreeTest, ReadinessComesFromTheProgram) {
  auto unit = bash("db", "while [ ! -e go ]; do sleep 0.05; done; echo >&4; exec sleep 1000");
  unit.notify_fd = 4;
  ensure(unit);
  wait_up("db");
  EXPECT_FALSE(supervisor->status("db")->ready);
  ASSERT_TRUE(write_file_volatile(dir / "go", "", 0600));
  EXPECT_TRUE(wait("db", {WaitFor::kReady, 0, test::kPatienceMs, std::nullopt}).ready);
}

TEST_F(TreeTest, WaitEndsAtItsDeadlineAndWhenCancelled) {
  ensure(bash("web", "exec sleep 1000"));
  wait_up("web");
  const auto late = supervisor->wait("web", {WaitFor::kDown, 0, 50, std::nullopt});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::kTimeout);
  EXPECT_THAT(late.error().message, HasSubstr("up, 1 starts"));
  const auto token = *CancelToken::create();
  token.cancel();
  EXPECT_EQ(supervisor->wait("web", {WaitFor::kDown, 0, 0, token}).error().code, Code::kCancelled);
  EXPECT_EQ(supervisor->wait("none", {WaitFor::kDown, 0, 0, token}).error().code, Code::kNotFound);
}

TEST_F(TreeTest, AProgramThatCannotStartSaysSoInItsLog) {
  auto unit = bash("broken", "");
  unit.argv = {"/nonexistent/program"};
  unit.log = UnitLog{dir / "logs" / "broken", 10'000, 2};
  unit.restart = RestartPolicy::kNo;
  ensure(unit);
  EXPECT_EQ(wait_down("broken").last_exit_code, 127);
  EXPECT_THAT(text("logs/broken/current"), HasSubstr("cannot run /nonexistent/program: No such file"));
}

TEST_F(TreeTest, StatusAgreesWithS6sOwn) {
  ensure(bash("web", "exec sleep 1000"));
  wait_up("web");
  Command command;
  command.argv = {"/usr/bin/s6-svstat", "-o", "up,wantedup,pid", (root() / "units" / "web").native()};
  command.out = OutputCapture{};
  const auto exit = make_process_runner()->run(command);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->out, "true true " + std::to_string(unit_pid("web")) + "\n");
}

TEST_F(TreeTest, SeveralCommandsAtOnceMakeOneTree) {
  std::vector<std::thread> threads;
  std::atomic<int> started = 0;
  std::atomic<int> good = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const auto own = make_supervisor(settings());
      const auto tree = own->ensure_tree();
      if (tree && *tree) ++started;
      if (own->ensure(bash("web." + std::to_string(i), "exec sleep 1000"))) ++good;
      if (own->ensure(bash("shared", "exec sleep 1000"))) ++good;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(started, 1);
  EXPECT_EQ(good, 8);
  EXPECT_EQ(wait_up("shared").starts, 1U);
}

TEST_F(TreeTest, StopTreeStopsEverythingAndEnsureTreeBringsItBack) {
  std::vector<pid_t> pids;
  for (int i = 0; i < 5; ++i) {
    const auto name = "web." + std::to_string(i);
    ensure(bash(name, "trap 'echo stopped >>seen; exit 0' TERM; while :; do sleep 0.05; done"));
    pids.push_back(wait_up(name).pid);
  }
  ASSERT_TRUE(supervisor->stop_tree(test::kPatienceMs));
  EXPECT_FALSE(supervisor->tree_running());
  for (const auto pid : pids) EXPECT_FALSE(alive(pid));
  EXPECT_EQ(supervisor->status("web.0")->phase, UnitPhase::kDown);
  EXPECT_TRUE(supervisor->stop_tree(test::kPatienceMs)) << "twice is fine";
  EXPECT_TRUE(*supervisor->ensure_tree());
  EXPECT_FALSE(*supervisor->ensure_tree());
  for (int i = 0; i < 5; ++i) wait_up("web." + std::to_string(i));
}

}  // namespace
}  // namespace davit
