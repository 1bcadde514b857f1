// A pty with a real program on it, and the relay.
#include "process/pty.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <csignal>
#include <thread>

#include "process/process_runner.hpp"

namespace davit {
namespace {

using ::testing::HasSubstr;

Command on_tty(const Pty& pty, const std::string& script) {
  Command command;
  command.argv = {"/bin/sh", "-c", script};
  command.env = {"PATH=/usr/bin:/bin", "TERM=dumb"};
  command.in = InputFd{pty.slave.get()};
  command.out = OutputFd{pty.slave.get()};
  command.err = OutputSame{};
  command.new_session = true;
  command.controlling_tty = pty.slave.get();
  return command;
}

struct Ran {
  std::string out;
  int code = -1;
};

// Runs `script` on a pty and relays `input` and its output through pipes.
Ran run_on_tty(const std::string& script, const std::string& input) {
  auto pty = Pty::open({33, 111});
  EXPECT_TRUE(pty);
  int in[2];
  int out[2];
  EXPECT_EQ(::pipe2(in, O_CLOEXEC), 0);
  EXPECT_EQ(::pipe2(out, O_CLOEXEC), 0);
  auto child = make_process_runner()->start(on_tty(*pty, script));
  EXPECT_TRUE(child) << (child ? "" : child.error().text());
  pty->slave.reset();
  EXPECT_EQ(::write(in[1], input.data(), input.size()), static_cast<ssize_t>(input.size()));
  ::close(in[1]);
  Ran ran;
  std::thread reader([&] {
    char bytes[4096];
    ssize_t count = 0;
    while ((count = ::read(out[0], bytes, sizeof bytes)) > 0)
      ran.out.append(bytes, static_cast<std::size_t>(count));
  });
  RelaySpec spec;
  spec.local_in = in[0];
  spec.local_out = out[1];
  spec.master = pty->master.get();
  spec.child_pidfd = (*child)->pidfd();
  EXPECT_TRUE(relay(spec));
  ::close(out[1]);
  reader.join();
  ran.code = (*child)->wait()->code;
  ::close(in[0]);
  ::close(out[0]);
  return ran;
}

TEST(Pty, ProgramHasATerminalWithTheGivenSize) {
  const auto ran =
      run_on_tty("test -t 0 && test -t 1 && stty size && tty >/dev/null && echo x >/dev/tty; exit 5", "");
  EXPECT_THAT(ran.out, HasSubstr("33 111\r\n"));
  EXPECT_THAT(ran.out, HasSubstr("x\r\n"));
  EXPECT_EQ(ran.code, 5);
}

TEST(Pty, RelayCarriesInputAndEndOfInput) {
  const auto ran = run_on_tty("cat; exit 3", "hello\n");
  EXPECT_THAT(ran.out, HasSubstr("hello\r\nhello\r\n"));  // echoed by the terminal, then by cat
  EXPECT_EQ(ran.code, 3);
}

TEST(Pty, ControlCharacterBecomesASignal) {
  const auto ran =
      run_on_tty("trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.1; done", "\x03");
  // The byte may arrive before the trap is set: then INT ends the shell itself.
  EXPECT_TRUE(ran.code == 9 || ran.code == -1) << ran.code;
}

TEST(Pty, LargeOutputArrivesWhole) {
  const auto ran = run_on_tty("head -c 1000000 /dev/zero | tr '\\0' x", "");
  EXPECT_EQ(ran.out.size(), 1'000'000U);
}

TEST(Pty, SizeChangesOfTheLocalTerminalAreForwarded) {
  auto local = Pty::open({24, 80});
  auto far = Pty::open({24, 80});
  ASSERT_TRUE(local && far);
  auto child = make_process_runner()->start(
      on_tty(*far, "trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.1; done"));
  ASSERT_TRUE(child);
  far->slave.reset();
  auto raw = RawMode::enter(local->slave.get());
  ASSERT_TRUE(raw);

  std::string seen;
  const pid_t self = ::getpid();
  sigset_t window;
  sigset_t before;
  sigemptyset(&window);
  sigaddset(&window, SIGWINCH);
  ::pthread_sigmask(SIG_BLOCK, &window,
                    &before);  // the thread below inherits it: only the relay's signalfd gets the signal
  std::thread user([&] {
    char bytes[256];
    bool resized = false;
    while (seen.find("44 99") == std::string::npos) {
      pollfd watched{local->master.get(), POLLIN, 0};
      if (::poll(&watched, 1, 20'000) <= 0) break;
      const auto count = ::read(local->master.get(), bytes, sizeof bytes);
      if (count <= 0) break;
      seen.append(bytes, static_cast<std::size_t>(count));
      if (!resized && seen.find("ready") != std::string::npos) {
        resized = true;
        (void)set_window_size(local->master.get(), {44, 99});
        ::kill(self, SIGWINCH);  // the kernel's own goes to the foreground group of a controlling terminal,
                                 // which this is not
      }
    }
  });
  RelaySpec spec;
  spec.local_in = local->slave.get();
  spec.local_out = local->slave.get();
  spec.master = far->master.get();
  spec.child_pidfd = (*child)->pidfd();
  EXPECT_TRUE(relay(spec));
  user.join();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_THAT(seen, HasSubstr("44 99"));
}

TEST(RawMode, RestoresTheTerminalAndRefusesAPipe) {
  auto pty = Pty::open({24, 80});
  ASSERT_TRUE(pty);
  termios before{};
  termios during{};
  termios after{};
  ::tcgetattr(pty->slave.get(), &before);
  {
    auto raw = RawMode::enter(pty->slave.get());
    ASSERT_TRUE(raw);
    ::tcgetattr(pty->slave.get(), &during);
  }
  ::tcgetattr(pty->slave.get(), &after);
  EXPECT_EQ(during.c_lflag & ICANON, 0U);
  EXPECT_EQ(after.c_lflag, before.c_lflag);
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  EXPECT_FALSE(RawMode::enter(ends[0]));
  ::close(ends[0]);
  ::close(ends[1]);
}

// As a worker does it: in a process group that the terminal does not know. Without care the kernel stops it.
TEST(RawMode, TakesTheTerminalFromTheForegroundGroupAndGivesItBack) {
  auto pty = Pty::open({24, 80});
  ASSERT_TRUE(pty);
  const pid_t leader = ::fork();
  ASSERT_GE(leader, 0);
  if (leader == 0) {  // the session's leader, in the foreground: a shell, or davit itself
    ::setsid();
    ::ioctl(pty->slave.get(), TIOCSCTTY, 0);
    const pid_t worker = ::fork();
    if (worker == 0) {
      ::setpgid(0, 0);
      bool took = false;
      {
        const auto raw = RawMode::enter(pty->slave.get());
        took = raw && ::tcgetpgrp(pty->slave.get()) == ::getpgrp();
      }
      ::_exit(took ? 0 : 1);
    }
    int status = 0;
    const bool stopped = ::waitpid(worker, &status, WUNTRACED) != worker || !WIFEXITED(status);
    if (stopped) ::kill(worker, SIGKILL);
    const bool given_back = ::tcgetpgrp(pty->slave.get()) == ::getpgrp();
    ::_exit(stopped ? 3 : WEXITSTATUS(status) != 0 ? 2 : given_back ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(leader, &status, 0), leader);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0) << "1: not given back, 2: not taken, 3: stopped";
}

}  // namespace
}  // namespace davit
