// Logs, exec, tasks.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "process/pty.hpp"
#include "suite.hpp"

namespace davit::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

TEST_F(RuntimeSuite, LogsComeByTimeWithTheirInstanceAndOutliveIt) {
  ASSERT_EQ(
      runtime().apply(group("worker", "echo one; echo two >&2; printf 'three without newline'; exit 0")),
      DAVIT_OK);
  ASSERT_TRUE(wait_log("three without newline"));
  ASSERT_EQ(runtime().remove(all(), false), DAVIT_OK) << runtime().call().message;
  std::vector<sdk::LogLine> lines;
  TestCall call;
  ASSERT_EQ(runtime().logs(call, all(), {}, [&](const sdk::LogLine& line) { lines.push_back(line); }),
            DAVIT_OK);
  ASSERT_GE(lines.size(), 3U);
  // Where standard output and error are two pipes, their order is the order in which they were read: each
  // holds its own.
  const auto at = [&](std::string_view text) { return std::ranges::find(lines, text, &sdk::LogLine::text); };
  EXPECT_LT(at("one"), at("three without newline"));
  EXPECT_NE(at("two"), lines.end());
  EXPECT_EQ(lines[0].process_type, "worker");
  EXPECT_EQ(lines[0].revision, "d1");
  EXPECT_EQ(lines[0].number, 1U);
  EXPECT_GT(lines[0].unix_ms, 1'600'000'000'000);
  EXPECT_TRUE(std::ranges::is_sorted(lines, {}, &sdk::LogLine::unix_ms));
  EXPECT_THAT(log_texts({false, 2, 0}), testing::SizeIs(2));
  EXPECT_THAT(log_texts({false, 0, lines.back().unix_ms + 1'000'000}), IsEmpty());
  ASSERT_EQ(runtime().remove(all(), true), DAVIT_OK);
  EXPECT_THAT(log_texts(), IsEmpty());
}

TEST_F(RuntimeSuite, FollowedLogsComeAsTheyAreWrittenUntilTheCallIsCancelled) {
  ASSERT_EQ(runtime().apply(
                group("worker", "echo begin; while ! [ -e go ]; do sleep 0.05; done; echo end; sleep 1000")),
            DAVIT_OK);
  ASSERT_TRUE(wait_log("begin"));
  ASSERT_TRUE(wait_up(1));
  int code = -1;
  sdk::Exec touch;
  touch.instance = "shop.d1.worker.1";
  touch.argv = {"touch", "go"};
  ASSERT_EQ(runtime().exec(touch, code), DAVIT_OK) << runtime().call().message;
  std::vector<std::string> texts;
  TestCall call;
  const davit_status status = runtime().logs(call, all(), {true, 0, 0}, [&](const sdk::LogLine& line) {
    texts.push_back(line.text);
    if (line.text == "end") call.cancel();
  });
  EXPECT_TRUE(status == DAVIT_OK || status == DAVIT_CANCELLED) << call.message;
  EXPECT_THAT(texts, ElementsAre("begin", "end"));
}

// One that comes and ends between two looks.
TEST_F(RuntimeSuite, FollowedLogsAreAlsoOfWhoLivesForAMoment) {
  ASSERT_EQ(runtime().apply(group("worker", "echo begin; sleep 1000")), DAVIT_OK);
  ASSERT_TRUE(wait_log("begin"));
  sdk::Group brief = group("brief", "echo hello; exit 3");
  brief.restart = DAVIT_RESTART_NEVER;
  TestCall call;
  std::vector<std::string> texts;
  std::jthread limit([&call](const std::stop_token& stop) {
    for (int tenths = 0; tenths < 150 && !stop.stop_requested(); ++tenths)
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    call.cancel();
  });
  (void)runtime().logs(call, all(), {true, 0, 0}, [&](const sdk::LogLine& line) {
    texts.push_back(line.text);
    if (line.text == "hello") call.cancel();
    if (line.text != "begin") return;
    EXPECT_EQ(runtime().apply(brief), DAVIT_OK);
    EXPECT_TRUE(wait_log("hello"));
    EXPECT_TRUE(wait_until(
        [](const auto& found) { return found.size() == 2 && found.front().state == DAVIT_INSTANCE_EXITED; }));
  });
  EXPECT_THAT(texts, ElementsAre("begin", "hello"));
}

TEST_F(RuntimeSuite, ExecRunsInsideTheInstance) {
  ASSERT_EQ(runtime().apply(group("worker", "echo secret > note; echo up; sleep 4219")), DAVIT_OK);
  ASSERT_TRUE(wait_log("up"));
  ASSERT_TRUE(wait_up(1));
  std::string text;
  sdk::Exec exec;
  exec.instance = "shop.d1.worker.1";
  exec.argv = {"sh", "-c",
               "cat note; echo $COLOUR $MORE $DAVIT_INSTANCE; cat /proc/*/cmdline | tr '\\0' ' '; exit 5"};
  exec.env = {{"MORE", "more"}};
  exec.out = [&text](std::string_view chunk) { text.append(chunk); };
  int code = -1;
  ASSERT_EQ(runtime().exec(exec, code), DAVIT_OK) << runtime().call().message;
  EXPECT_EQ(code, 5);
  EXPECT_THAT(text, StartsWith("secret\ndeep blue more shop.d1.worker.1\n"));
  EXPECT_THAT(text, HasSubstr("sleep 4219"));
}

TEST_F(RuntimeSuite, ExecOfWhatIsNotThereSaysSo) {
  sdk::Exec exec;
  exec.instance = "shop.d1.worker.1";
  exec.argv = {"true"};
  int code = -1;
  EXPECT_EQ(runtime().exec(exec, code), DAVIT_NOT_FOUND);
  EXPECT_THAT(runtime().call().message, HasSubstr("shop.d1.worker.1"));
  ASSERT_EQ(runtime().apply(group("worker", "sleep 1000")), DAVIT_OK);
  ASSERT_EQ(runtime().stop(all()), DAVIT_OK);
  EXPECT_EQ(runtime().exec(exec, code), DAVIT_UNAVAILABLE);
}

/// What the program wrote to its terminal, until it is closed.
std::string drain(int master) {
  std::string text;
  char buffer[1024];
  ssize_t got = 0;
  while ((got = read(master, buffer, sizeof buffer)) > 0) text.append(buffer, static_cast<std::size_t>(got));
  return text;
}

TEST_F(RuntimeSuite, ExecWithATerminalHasItAsItsControllingOne) {
  ASSERT_EQ(runtime().apply(group("worker", "sleep 1000")), DAVIT_OK);
  ASSERT_TRUE(wait_up(1));
  auto pty = Pty::open({30, 100});
  ASSERT_TRUE(pty);
  sdk::Exec exec;
  exec.instance = "shop.d1.worker.1";
  exec.flags = DAVIT_TASK_TTY;
  exec.argv = {"sh", "-c", "stty size </dev/tty; test -t 0 && test -t 1 && echo terminal $TERM; exit 7"};
  exec.env = {{"TERM", "vt100"}};
  const int slave = pty->slave.get();
  exec.fds = {slave, slave, slave};
  int code = -1;
  ASSERT_EQ(runtime().exec(exec, code), DAVIT_OK) << runtime().call().message;
  EXPECT_EQ(code, 7);
  pty->slave.reset();
  const std::string text = drain(pty->master.get());
  EXPECT_THAT(text, HasSubstr("30 100"));
  EXPECT_THAT(text, HasSubstr("terminal vt100"));
}

TEST_F(RuntimeSuite, ATaskWithATerminal) {
  auto pty = Pty::open({31, 101});
  ASSERT_TRUE(pty);
  sdk::Task wanted = task("stty size </dev/tty; exit 6");
  wanted.flags = DAVIT_TASK_TTY;
  const int slave = pty->slave.get();
  wanted.fds = {slave, slave, slave};
  TestCall call;
  int code = -1;
  ASSERT_EQ(runtime().run_task(call, wanted, code), DAVIT_OK) << call.message;
  EXPECT_EQ(code, 6);
  pty->slave.reset();
  EXPECT_THAT(drain(pty->master.get()), HasSubstr("31 101"));
}

TEST_F(RuntimeSuite, ATaskGivesItsOutputAndExitCode) {
  sdk::Task wanted = task("echo out; echo err >&2; echo $X; exit 9");
  wanted.env = {{"X", "y z"}};
  std::string out;
  std::string err;
  wanted.out = [&out](std::string_view chunk) { out.append(chunk); };
  wanted.err = [&err](std::string_view chunk) { err.append(chunk); };
  TestCall call;
  int code = -1;
  ASSERT_EQ(runtime().run_task(call, wanted, code), DAVIT_OK) << call.message;
  EXPECT_EQ(code, 9);
  EXPECT_EQ(out, "out\ny z\n");
  EXPECT_EQ(err, "err\n");
  EXPECT_EQ(task_output(task("kill -9 $$"), 137), "");
  EXPECT_EQ(task_output(task("/no/such/program"), 127).empty(), false);
}

TEST_F(RuntimeSuite, ATaskHasItsOwnCopyOfTheArtifactAndForgetsIt) {
  sdk::Task wanted =
      task("cat hello.txt; echo changed > hello.txt; cat hello.txt; touch more; pwd >/dev/null");
  wanted.artifact = world->artifact({{"hello.txt", "hello\n"}});
  EXPECT_EQ(task_output(wanted), "hello\nchanged\n");
  EXPECT_EQ(task_output(wanted), "hello\nchanged\n");
  wanted.argv = {"sh", "-c", "ls"};
  EXPECT_EQ(task_output(wanted), "hello.txt\n");
}

TEST_F(RuntimeSuite, ATaskSeesItsMounts) {
  const std::string data = world->host_folder("data");
  const std::string fixed = world->host_folder("fixed");
  std::ofstream(data + "/in") << "input\n";
  std::ofstream(fixed + "/in") << "fixed\n";
  sdk::Task wanted;
  wanted.owner = "shop";
  wanted.name = "build";
  wanted.argv = {"/bin/sh", "/work/fixed/run"};
  std::ofstream(fixed + "/run")
      << "cat \"$DATA/in\" && cp \"$DATA/in\" \"$DATA/out\" && pwd | sed 's|.*/||'; "
         "touch \"$FIXED/new\" 2>/dev/null || echo read-only";
  wanted.env = {{"DATA", "/work/deep/data"}, {"FIXED", "/work/fixed"}};
  wanted.cwd = "/work/deep/data";
  wanted.mounts = {{data, "/work/deep/data", DAVIT_MOUNT_OWN}, {fixed, "/work/fixed", DAVIT_MOUNT_READ_ONLY}};
  const std::string text = task_output(wanted);
  EXPECT_THAT(text, StartsWith("input\ndata\n"));
  if (world->isolated()) {
    EXPECT_THAT(text, HasSubstr("read-only"));
  }
  std::ifstream out(data + "/out");
  std::string word;
  out >> word;
  EXPECT_EQ(word, "input");
}

TEST_F(RuntimeSuite, ATaskReadsTheInputThatItIsGiven) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  ASSERT_EQ(write(ends[1], "typed\n", 6), 6);
  close(ends[1]);
  sdk::Task wanted = task("cat");
  wanted.fds = {ends[0], -1, -1};
  EXPECT_EQ(task_output(wanted), "typed\n");
  close(ends[0]);
  EXPECT_EQ(task_output(task("cat; echo end")), "end\n");
}

TEST_F(RuntimeSuite, ATaskPastItsTimeIsEndedWithEverythingItStarted) {
  sdk::Task wanted = task("setsid sleep " + own_seconds(2) + " & (trap '' TERM; sleep " + own_seconds(2) +
                          ") & trap 'echo asked; exit 0' TERM; sleep " + own_seconds(2) + " & wait");
  wanted.limits = sdk::Limits{};
  wanted.limits->time_ms = 1'500;
  std::string text;
  wanted.out = [&text](std::string_view chunk) { text.append(chunk); };
  TestCall call;
  int code = -1;
  EXPECT_EQ(runtime().run_task(call, wanted, code), DAVIT_TIMEOUT);
  EXPECT_EQ(text, "asked\n");
  EXPECT_FALSE(process_with_argument(own_seconds(2)));
}

TEST_F(RuntimeSuite, ACancelledTaskIsEndedWithEverythingItStarted) {
  sdk::Task wanted =
      task("trap '' TERM; sleep " + own_seconds(3) + " & echo started; sleep " + own_seconds(3));
  wanted.stop_timeout_ms = 200;
  TestCall call;
  wanted.out = [&call](std::string_view) { call.cancel(); };
  int code = -1;
  EXPECT_EQ(runtime().run_task(call, wanted, code), DAVIT_CANCELLED);
  EXPECT_FALSE(process_with_argument(own_seconds(3)));
}

TEST_F(RuntimeSuite, WhatATaskLeavesRunningEndsWithIt) {
  EXPECT_EQ(task_output(task("setsid sleep " + own_seconds(4) + " >/dev/null 2>&1 & echo over")), "over\n");
  EXPECT_FALSE(process_with_argument(own_seconds(4)));
}

TEST_F(RuntimeSuite, TheLargestFileIsLimited) {
  sdk::Task wanted = task(
      "trap '' XFSZ; head -c 2000000 /dev/zero > /tmp/big 2>/dev/null; stat -c %s /tmp/big; rm -f /tmp/big");
  wanted.limits = sdk::Limits{};
  wanted.limits->file_bytes = 1'000'000;
  EXPECT_EQ(task_output(wanted), "1000000\n");
}

TEST_F(RuntimeSuite, ATaskWithoutACommandIsRefused) {
  sdk::Task wanted = task("");
  wanted.argv.clear();
  TestCall call;
  int code = -1;
  EXPECT_EQ(runtime().run_task(call, wanted, code), DAVIT_INVALID);
  EXPECT_NE(call.message, "");
}

TEST_F(RuntimeSuite, MemoryIsLimitedWhereTheRuntimeSaysSo) {
  sdk::Pairs facts;
  ASSERT_EQ(runtime().describe(facts), DAVIT_OK);
  if (std::ranges::find(facts, std::pair<std::string, std::string>("limits", "none")) != facts.end()) {
    GTEST_SKIP() << "no writable control groups";
  }
  sdk::Task wanted = task("exec python3 -c 'x = bytearray(300 << 20); print(len(x))'");
  wanted.limits = sdk::Limits{};
  wanted.limits->memory_bytes = 100U << 20;
  const std::string text = task_output(wanted, 137);
  EXPECT_THAT(text, Not(HasSubstr("314572800")));
  EXPECT_THAT(text, HasSubstr("memory limit"));
  wanted.limits->memory_bytes = 1000U << 20;
  EXPECT_EQ(task_output(wanted), "314572800\n");
}

TEST_F(RuntimeSuite, NothingOfTheHostIsSeenFromInside) {
  if (!world->isolated()) GTEST_SKIP() << "no sandbox here";
  const std::string secret = world->host_folder("private");
  std::ofstream(secret + "/key") << "key\n";
  const std::string text = task_output(
      task("ls " + secret +
           " 2>&1; cat /etc/shadow 2>&1; ps -e 2>/dev/null | wc -l; touch /usr/x /etc/x 2>&1; id -u; "
           "grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status; ls -d /root /home 2>&1; ls /proc/1/root/ "
           ">/dev/null && echo open"));
  EXPECT_THAT(text, HasSubstr("No such file"));
  EXPECT_THAT(text, Not(HasSubstr("key\n")));
  EXPECT_THAT(text, Not(HasSubstr("root:")));
  EXPECT_THAT(text, testing::AnyOf(HasSubstr("/usr/x': Read-only file system"),
                                   HasSubstr("/usr/x': Permission denied")));
  EXPECT_THAT(text, HasSubstr("CapEff:\t0000000000000000"));
  EXPECT_THAT(text, HasSubstr("CapBnd:\t0000000000000000"));
  EXPECT_THAT(text, HasSubstr("NoNewPrivs:\t1"));
  EXPECT_THAT(text, Not(HasSubstr("\n0\n")));  // neither uid 0 nor a file that anybody could make
}

TEST_F(RuntimeSuite, NoNetworkMeansNone) {
  if (!world->isolated()) GTEST_SKIP() << "no sandbox here";
  sdk::Task wanted = task("tail -n +3 /proc/net/dev | sed 's/:.*//' | tr -d ' '");
  wanted.network = DAVIT_NETWORK_NONE;
  EXPECT_EQ(task_output(wanted), "lo\n");
}

TEST_F(RuntimeSuite, TheEnvironmentIsOnNoCommandLine) {
  sdk::Group wanted = group("worker", "echo up; sleep 1000");
  wanted.env.emplace_back("TOKEN", "s3cret-4241");
  ASSERT_EQ(runtime().apply(wanted), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(wait_log("up"));
  EXPECT_FALSE(process_with_argument("s3cret-4241"));
  sdk::Task once = task("tr '\\0' ' ' < /proc/1/cmdline; echo; echo $TOKEN");
  once.env = {{"TOKEN", "s3cret-4243"}};
  const std::string text = task_output(once);
  EXPECT_THAT(text, HasSubstr("s3cret-4243\n"));
  EXPECT_EQ(text.find("s3cret"), text.rfind("s3cret"));
}

TEST_F(RuntimeSuite, AnAppsPreloadIsTheAppsOwnBusiness) {
  sdk::Task wanted = task("echo $LD_PRELOAD");
  wanted.env = {
      {"LD_PRELOAD", "/no/such/library.so"}, {"LD_LIBRARY_PATH", "/no/such"}, {"GLIBC_TUNABLES", "x"}};
  std::string out;
  wanted.out = [&out](std::string_view chunk) { out.append(chunk); };
  wanted.err = [](std::string_view) {};
  TestCall call;
  int code = -1;
  ASSERT_EQ(runtime().run_task(call, wanted, code), DAVIT_OK) << call.message;
  EXPECT_EQ(out, "/no/such/library.so\n");
}

}  // namespace
}  // namespace davit::test
