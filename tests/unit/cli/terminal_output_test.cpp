// TerminalOutput into pipes: the forms, what quiet takes away, thinning of progress.
#include "cli/terminal_output.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>

namespace davit {
namespace {

class StoppedClock final : public Clock {
 public:
  [[nodiscard]] UnixMs now_unix_ms() const override { return now; }
  [[nodiscard]] MonoMs now_mono_ms() const override { return now; }
  std::int64_t now = 1'000;
};

class Output : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::pipe2(out_.data(), O_CLOEXEC | O_NONBLOCK), 0);
    ASSERT_EQ(::pipe2(err_.data(), O_CLOEXEC | O_NONBLOCK), 0);
  }
  void TearDown() override {
    for (const int fd : {out_[0], out_[1], err_[0], err_[1]}) ::close(fd);
  }
  TerminalOutput make(bool terminal, bool quiet) {
    return TerminalOutput({out_[1], err_[1], terminal, quiet}, clock_);
  }
  static std::string read_all(int fd) {
    std::string text;
    std::array<char, 4096> buffer{};
    for (;;) {
      const ssize_t got = ::read(fd, buffer.data(), buffer.size());
      if (got <= 0) return text;
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
  }
  std::string out() { return read_all(out_[0]); }
  std::string err() { return read_all(err_[0]); }

  StoppedClock clock_;
  std::array<int, 2> out_{};
  std::array<int, 2> err_{};
};

TEST_F(Output, EndsDetailsThatHaveNoEnd) {
  TerminalOutput output({.out_fd = out_[1], .err_fd = err_[1], .most_detail_bytes = 8}, clock_);
  output.detail("one\ntwo");
  output.detail("three\nfour\n");
  output.detail("five\n");
  output.step("Next");
  output.warning("it broke");
  output.detail("six\n");
  EXPECT_EQ(
      out(),
      "       one\n       twot\n       (this is too long: what follows of it is left out)\n-----> Next\n");
  EXPECT_EQ(err(), " !     it broke\n");
}

TEST_F(Output, HasDokkusForms) {
  auto output = make(true, false);
  output.header("My Apps");
  output.step("Building");
  output.detail("one\ntwo\n");
  output.result("value\n");
  output.warning("it broke");
  EXPECT_EQ(out(), "=====> My Apps\n-----> Building\n       one\n       two\nvalue\n");
  EXPECT_EQ(err(), " !     it broke\n");
}

TEST_F(Output, QuietTakesHeadersOnly) {
  auto output = make(false, true);
  output.header("My Apps");
  output.step("Building");
  output.flush();
  EXPECT_EQ(out(), "-----> Building\n");
}

TEST_F(Output, DetailMayBeCutAnywhere) {
  auto output = make(false, false);
  output.detail("on");
  output.detail("e\ntw");
  output.step("Next");
  EXPECT_EQ(out(), "       one\n       tw\n-----> Next\n");
}

TEST_F(Output, ResultsKeepEveryByte) {
  auto output = make(false, true);
  const std::string bytes("a\0b\xff\n", 5);
  output.result(bytes);
  output.flush();
  EXPECT_EQ(out(), bytes);
}

TEST_F(Output, ProgressIsThinnedWithoutATerminal) {
  auto output = make(false, false);
  output.progress("Fetching", 0, 0, "bytes");
  for (int i = 0; i < 100; ++i) output.progress("Fetching", 1'000, 0, "bytes");
  EXPECT_EQ(out(), "");  // what is over in a moment needs no line
  clock_.now += 3'000;
  output.progress("Fetching", 2'500'000, 0, "bytes");
  EXPECT_EQ(out(), "       Fetching  2.5 MB  3s\n");
}

TEST_F(Output, ProgressIsALiveLineOnATerminal) {
  auto output = make(true, false);
  output.progress("Checking", 1, 4, "instances");
  output.step("Done");
  EXPECT_EQ(out(), "\r\x1b[K       Checking  1 of 4 instances\r\x1b[K-----> Done\n");
}

TEST_F(Output, AReaderThatWentAwayIsNoError) {
  struct sigaction old {};
  struct sigaction quiet {};
  quiet.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &quiet, &old);
  {
    auto output = make(false, false);
    ::close(out_[0]);
    output.step("into nothing");
    output.step("again");
    EXPECT_EQ(output.gone(), EPIPE);
  }
  ::sigaction(SIGPIPE, &old, nullptr);
  out_[0] = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

TEST(Amount, ScalesBytesAndNamesOthers) {
  EXPECT_EQ(amount_text(999, "bytes"), "999 B");
  EXPECT_EQ(amount_text(12'345'678, "bytes"), "12.3 MB");
  EXPECT_EQ(amount_text(3, "steps"), "3 steps");
  EXPECT_EQ(amount_text(3, ""), "3");
}

}  // namespace
}  // namespace davit
