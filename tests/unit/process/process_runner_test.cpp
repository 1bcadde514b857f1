// The real ProcessRunner against real programs.
#include "process/process_runner.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>

#include <csignal>
#include <thread>

#include "process/files.hpp"
#include "process/unique_fd.hpp"
#include "tests/temp_folder.hpp"

namespace davit {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Command shell(const std::string& script) {  // scripts of ours, never users' data
  Command command;
  command.argv = {"/bin/sh", "-c", script};
  command.env = {"PATH=/usr/bin:/bin"};
  command.out = OutputCapture{};
  command.err = OutputCapture{};
  return command;
}

Exit run(const Command& command) {
  auto exit = make_process_runner()->run(command);
  EXPECT_TRUE(exit) << (exit ? "" : exit.error().text());
  return exit ? *exit : Exit{};
}

TEST(ProcessRunner, GivesExitCodeAndBothOutputs) {
  const auto exit = run(shell("echo to-out; echo to-err >&2; exit 7"));
  EXPECT_EQ(exit.code, 7);
  EXPECT_EQ(exit.signal, 0);
  EXPECT_EQ(exit.out, "to-out\n");
  EXPECT_EQ(exit.err, "to-err\n");
  EXPECT_FALSE(exit.ok());
}

TEST(ProcessRunner, GivesTheSignal) {
  const auto exit = run(shell("kill -SEGV $$"));
  EXPECT_EQ(exit.signal, SIGSEGV);
  EXPECT_EQ(exit.shell_code(), 139);
  EXPECT_EQ(exit.text(), "signal 11 (SIGSEGV)");
}

TEST(ProcessRunner, LooksInThePathOfTheGivenEnvironment) {
  auto command = shell("");
  command.argv = {"echo", "hello"};
  EXPECT_EQ(run(command).out, "hello\n");
  command.env = {"PATH=/nonexistent"};
  const auto exit = make_process_runner()->run(command);
  ASSERT_FALSE(exit);
  EXPECT_EQ(exit.error().code, Code::kNotFound);
}

TEST(ProcessRunner, SaysWhyAProgramDidNotStart) {
  test::TempFolder dir;
  ASSERT_TRUE(write_file_volatile(dir / "not-executable", "x", 0644));
  auto command = shell("");
  command.argv = {(dir / "not-executable").native()};
  const auto exit = make_process_runner()->run(command);
  ASSERT_FALSE(exit);
  EXPECT_EQ(exit.error().code, Code::kDenied);
  command = shell("true");
  command.cwd = "/nonexistent";
  const auto lost = make_process_runner()->run(command);
  ASSERT_FALSE(lost);
  EXPECT_THAT(lost.error().message, HasSubstr("working directory"));
}

TEST(ProcessRunner, InheritsNoEnvironmentAndKeepsEveryByte) {
  ::setenv("DAVIT_LEAK", "1", 1);
  auto command = shell("");
  command.argv = {"/usr/bin/env", "-0"};
  command.env = {"A=line1\nline2", "B=\xff\xfe = ", "C="};
  EXPECT_EQ(run(command).out, std::string("A=line1\nline2\0B=\xff\xfe = \0C=\0", 25));
  command.env = {std::string("A=x\0y", 5)};
  EXPECT_FALSE(make_process_runner()->run(command));
}

TEST(ProcessRunner, PassesNoDescriptorBut012AndThoseAskedFor) {
  test::TempFolder dir;
  const UniqueFd leaky(
      ::open((dir / "leak").c_str(), O_RDWR | O_CREAT, 0600));  // not close-on-exec on purpose
  auto command = shell("");
  command.argv = {"/bin/ls", "/proc/self/fd"};
  EXPECT_EQ(run(command).out, "0\n1\n2\n3\n");  // 3 is ls's own folder
  command.pass_fds = {{leaky.get(), 20}};
  EXPECT_EQ(run(command).out, "0\n1\n2\n20\n3\n");
}

TEST(ProcessRunner, PlacesDescriptorsWhoseNumbersCross) {
  int one[2];
  int two[2];
  ASSERT_EQ(::pipe2(one, O_CLOEXEC), 0);
  ASSERT_EQ(::pipe2(two, O_CLOEXEC), 0);
  auto command = shell("");
  command.pass_fds = {{one[1], two[1]}, {two[1], one[1]}};
  command.argv = {
      "/bin/sh", "-c",
      "echo first >&" +
          std::to_string(two[1] > 9 ? 0 : two[1])};  // goes through what is `two` there, `one` here
  if (two[1] > 9) GTEST_SKIP() << "sh knows descriptors up to 9";
  EXPECT_EQ(run(command).code, 0);
  char bytes[16] = {};
  ASSERT_EQ(::read(one[0], bytes, sizeof bytes), 6);
  EXPECT_STREQ(bytes, "first\n");
  for (const int fd : {one[0], one[1], two[0], two[1]}) ::close(fd);
}

TEST(ProcessRunner, FeedsStdinAndSurvivesAChildThatDoesNotReadIt) {
  auto command = shell("cat");
  command.in = InputBytes{std::string(300'000, 'x')};
  EXPECT_EQ(run(command).out.size(), 300'000U);
  command = shell("exec 0<&-; exit 3");
  command.in = InputBytes{std::string(300'000, 'x')};
  EXPECT_EQ(run(command).code, 3);
  EXPECT_EQ(run(shell("cat")).out, "");  // InputNone is an empty stdin
}

TEST(ProcessRunner, CutsOutputIntoLines) {
  std::vector<std::string> lines;
  auto command = shell("printf 'a\\r\\n\\nlonger-than-eight\\nend'");
  command.out = OutputLines{[&](std::string_view line) { lines.emplace_back(line); }, 8};
  EXPECT_EQ(run(command).code, 0);
  EXPECT_THAT(lines, ElementsAre("a", "", "longer-t", "han-eigh", "t", "end"));
}

TEST(ProcessRunner, BoundsWhatItCaptures) {
  auto command = shell("head -c 500000 /dev/zero");
  command.out = OutputCapture{1000};
  const auto exit = run(command);
  EXPECT_EQ(exit.out.size(), 1000U);
  EXPECT_TRUE(exit.truncated);
  EXPECT_EQ(exit.code, 0);
}

TEST(ProcessRunner, StopsTheWholeGroupAtItsDeadline) {
  auto command = shell("trap '' TERM; sleep 1000 & sleep 1000");
  command.deadline_ms = 100;
  command.kill_after_ms = 100;
  const auto exit = run(command);
  EXPECT_EQ(exit.stopped_by, StoppedBy::kDeadline);
  EXPECT_EQ(exit.signal, SIGKILL);
  EXPECT_EQ(exit.text(), "stopped at its deadline");
}

TEST(ProcessRunner, StopsWhenCancelled) {
  const auto token = CancelToken::create();
  ASSERT_TRUE(token);
  auto command = shell("echo ready; exec sleep 1000");
  command.cancel = *token;
  command.out = OutputLines{[&](std::string_view) { token->cancel(); }};
  const auto exit = run(command);
  EXPECT_EQ(exit.stopped_by, StoppedBy::kCancel);
  EXPECT_EQ(exit.signal, SIGTERM);
}

TEST(ProcessRunner, DoesNotWaitForADaemonThatKeepsThePipe) {
  auto command = shell("sleep 1000 & echo $!");
  const auto exit = run(command);
  EXPECT_EQ(exit.code, 0);
  const auto pid = std::stoi(exit.out);
  EXPECT_EQ(::kill(pid, 0), 0) << "the daemon still runs, and run() came back nevertheless";
  ::kill(pid, SIGKILL);
}

TEST(ProcessRunner, DropsToAnotherUserWithoutRights) {
  if (::getuid() != 0) GTEST_SKIP() << "NEEDS ROOT: dropping to another uid";
  auto command = shell("id -u; id -g; id -G; grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status");
  command.run_as = RunAs{54321, 54322, {}};
  EXPECT_EQ(run(command).out,
            "54321\n54322\n54322\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\n");
}

TEST(ProcessRunner, ResetsSignalsInTheChild) {
  struct sigaction before {};
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGINT, &ignore, &before);
  const auto exit = run(shell("grep SigIgn /proc/self/status; kill -INT $$; echo not-here"));
  ::sigaction(SIGINT, &before, nullptr);
  EXPECT_EQ(exit.signal, SIGINT);
  EXPECT_THAT(exit.out, HasSubstr("SigIgn:\t0000000000000000"));
}

TEST(ProcessRunner, StartedChildIsWaitedForAndKilledWhenDropped) {
  auto runner = make_process_runner();
  auto command = shell("exit 4");
  EXPECT_FALSE(runner->start(command)) << "captured output needs run()";
  command.out = OutputNone{};
  command.err = OutputSame{};
  auto child = runner->start(command);
  ASSERT_TRUE(child);
  const auto exit = (*child)->wait();
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->code, 4);

  command.argv = {"/bin/sleep", "1000"};
  auto lost = runner->start(command);
  ASSERT_TRUE(lost);
  const auto pid = (*lost)->pid();
  lost->reset();
  EXPECT_EQ(::kill(pid, 0), -1);
}

TEST(ProcessRunner, ChildDiesWithItsParent) {
  // A process between us and the child: when it is killed, the child gets the death signal, and the pipe's
  // end closes.
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const pid_t middle = ::fork();
  if (middle == 0) {
    Command command;
    command.argv = {"/bin/sleep", "1000"};
    command.out = OutputFd{ends[1]};
    command.death_signal = SIGKILL;
    auto child = make_process_runner()->start(command);
    ::close(ends[1]);
    if (!child) ::_exit(1);
    ::pause();
  }
  ::close(ends[1]);
  pollfd watched{ends[0], POLLIN, 0};
  EXPECT_EQ(::poll(&watched, 1, 300), 0) << "the child holds the pipe";
  ::kill(middle, SIGKILL);
  ::waitpid(middle, nullptr, 0);
  EXPECT_EQ(::poll(&watched, 1, 10'000), 1);
  ::close(ends[0]);
}

TEST(ProcessRunner, WorksFromSeveralThreads) {
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&good, i] {
      const auto exit = run(shell("cat >/dev/null; exit " + std::to_string(i)));
      if (exit.code == i) ++good;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 8);
}

}  // namespace
}  // namespace davit
