// davit-init by itself, without a namespace: as `run` uses it where there is no sandbox.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "process/files.hpp"
#include "process/process_runner.hpp"
#include "process/pty.hpp"
#include "tests/temp_folder.hpp"

namespace davit {
namespace {

using ::testing::HasSubstr;

Command init(std::vector<std::string> options, const std::string& script) {
  Command command;
  command.argv = {std::string(LIBEXEC_DIR) + "/davit-init"};
  command.argv.insert(command.argv.end(), options.begin(), options.end());
  command.argv.insert(command.argv.end(), {"--", "/bin/bash", "-c", script});
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

TEST(DavitInit, ReturnsTheProgramsExitCode) {
  EXPECT_EQ(run(init({}, "exit 7")).code, 7);
  EXPECT_EQ(run(init({}, "kill -KILL $$")).code, 137);
  auto missing = init({}, "");
  missing.argv = {missing.argv[0], "/nonexistent"};
  const auto exit = run(missing);
  EXPECT_EQ(exit.code, 127);
  EXPECT_THAT(exit.err, HasSubstr("cannot run /nonexistent: No such file"));
}

TEST(DavitInit, RefusesWhatItDoesNotKnow) {
  for (const auto& options :
       std::vector<std::vector<std::string>>{{"--nonsense", "1"}, {"--uid", "x"}, {"--uid"}}) {
    auto command = init({}, "");
    command.argv = {command.argv[0]};
    command.argv.insert(command.argv.end(), options.begin(), options.end());
    EXPECT_EQ(run(command).code, 64);
  }
}

TEST(DavitInit, StopReachesEveryProcessAndAllAreWaitedFor) {
  // bash waits in the foreground for its child and forwards nothing. It dies first: one whose child ends
  // before it has looked at its signal would end well.
  auto command =
      init({},
           "(trap 'while kill -0 $$ 2>/dev/null; do sleep 0.01; done; echo bye; exit 0' TERM; echo up; "
           "while :; do sleep 0.05; done) & wait");
  std::string seen;
  const auto token = *CancelToken::create();
  command.cancel = token;  // SIGTERM to the group: but only davit-init is in it
  command.out = OutputLines{[&](std::string_view line) {
    seen += std::string(line) + ";";
    if (line == "up") token.cancel();
  }};
  command.kill_after_ms = 20'000;
  EXPECT_EQ(run(command).code, 143) << "bash itself has no handler";
  EXPECT_EQ(seen, "up;bye;");
}

TEST(DavitInit, AStopThatEndsWellHasTheCodeThatWasAskedFor) {
  const auto code_of = [](const std::string& script) {
    auto command = init({"--stop-code", "143"}, script);
    const auto token = *CancelToken::create();
    command.cancel = token;
    command.out = OutputLines{[&](std::string_view) { token.cancel(); }};
    command.kill_after_ms = 20'000;
    return run(command).code;
  };
  EXPECT_EQ(code_of("trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done"), 143);
  EXPECT_EQ(code_of("trap 'exit 3' TERM; echo up; while :; do sleep 0.05; done"), 3);
  EXPECT_EQ(run(init({"--stop-code", "143"}, "exit 0")).code, 0) << "nobody stopped it";
}

TEST(DavitInit, TurnsTermIntoTheStopSignal) {
  const auto token = *CancelToken::create();
  auto command =
      init({"--stop-signal", "2"}, "trap 'echo int; exit 5' INT; echo up; while :; do sleep 0.05; done");
  std::string seen;
  command.cancel = token;
  command.out = OutputLines{[&](std::string_view line) {
    seen += std::string(line) + ";";
    token.cancel();
  }};
  command.kill_after_ms = 20'000;
  EXPECT_EQ(run(command).code, 5);
  EXPECT_EQ(seen, "up;int;");
}

TEST(DavitInit, NothingIsLeftWhenTheProgramEnds) {
  test::TempFolder dir;
  auto command = init({}, "setsid sleep 1000 >/dev/null 2>&1 & echo $!");
  const auto pid = std::stoi(run(command).out);
  const auto stat = read_file("/proc/" + std::to_string(pid) + "/stat").value_or(") X");
  EXPECT_THAT(stat.substr(stat.rfind(')')), ::testing::AnyOf(HasSubstr(") Z"), HasSubstr(") X")));
}

TEST(DavitInit, PassesOnlyTheDescriptorsItIsToldTo) {
  auto command = init({}, "ls /proc/self/fd | tr '\\n' ' '");
  test::TempFolder dir;
  std::ofstream(dir / "x") << "x";
  const UniqueFd fd(::open((dir / "x").c_str(), O_RDONLY | O_CLOEXEC));
  command.pass_fds = {{fd.get(), 8}};
  EXPECT_EQ(run(command).out, "0 1 2 3 ");
  command.argv.insert(command.argv.begin() + 1, {"--keep-fd", "8"});
  EXPECT_EQ(run(command).out, "0 1 2 3 8 ");
}

TEST(DavitInit, MakesAControllingTerminal) {
  auto pty = Pty::open({31, 97});
  ASSERT_TRUE(pty);
  auto command = init({"--tty"}, "stty size </dev/tty; exit 6");
  command.in = InputFd{pty->slave.get()};
  command.out = OutputFd{pty->slave.get()};
  command.err = OutputSame{};
  auto child = make_process_runner()->start(command);
  ASSERT_TRUE(child);
  pty->slave.reset();
  int out[2];
  ASSERT_EQ(::pipe2(out, O_CLOEXEC), 0);
  const UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  RelaySpec spec;
  spec.local_in = nothing.get();
  spec.local_out = out[1];
  spec.master = pty->master.get();
  spec.child_pidfd = (*child)->pidfd();
  spec.forward_size = false;
  EXPECT_TRUE(relay(spec));
  ::close(out[1]);
  char bytes[256] = {};
  EXPECT_GT(::read(out[0], bytes, sizeof bytes - 1), 0);
  ::close(out[0]);
  EXPECT_STREQ(bytes, "31 97\r\n");
  EXPECT_EQ((*child)->wait()->code, 6);
}

TEST(DavitInit, NEEDS_ROOT_DropsForGood) {
  if (::getuid() != 0) GTEST_SKIP() << "NEEDS ROOT: dropping to another uid";
  const auto exit = run(init({"--uid", "54321", "--gid", "54322", "--group", "54323"},
                             "id -u; id -g; id -G; grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status"));
  EXPECT_EQ(
      exit.out,
      "54321\n54322\n54322 54323\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\n");
}

}  // namespace
}  // namespace davit
