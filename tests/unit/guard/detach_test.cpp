// detach(): a process of its own that holds nothing of ours.
#include "guard/detach.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>

#include "tests/temp_folder.hpp"

namespace davit {
namespace {

std::string read_all(int fd) {
  std::string text;
  char bytes[512];
  ssize_t count = 0;
  while ((count = ::read(fd, bytes, sizeof bytes)) > 0) text.append(bytes, static_cast<std::size_t>(count));
  return text;
}

// What the detached side sees of itself.
std::string describe_self(int kept_fd) {
  std::string text = ::getsid(0) != 0 ? "sid=" + std::to_string(::getsid(0) == ::getpgrp()) : "";
  text += ::fcntl(kept_fd, F_GETFD) >= 0 ? " kept" : " lost";
  text += " fds=";
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    text += entry.path().filename().native() + ",";
  return text;
}

TEST(Detach, HoldsOnlyWhatItWasTold) {
  int hook[2];
  ASSERT_EQ(::pipe(hook), 0);  // a git hook's stdout, as it were
  int kept[2];
  ASSERT_EQ(::pipe(kept), 0);
  auto sides = detach({std::nullopt, {kept[1]}});
  ASSERT_TRUE(sides);
  if (sides->detached_side) {
    const auto text = describe_self(kept[1]);
    [[maybe_unused]] const auto n = ::write(sides->done.get(), text.data(), text.size());
    sides->done.reset();
    char byte;
    [[maybe_unused]] const auto m = ::read(kept[1], &byte, 1);  // not readable: returns at once
    ::pause();
    ::_exit(0);
  }
  ::close(hook[1]);
  ::close(kept[1]);
  const auto text = read_all(sides->viewer.get());  // EOF while the detached side still lives
  EXPECT_EQ(::kill(sides->pid, 0), 0);
  EXPECT_NE(text.find(" kept"), std::string::npos) << text;
  EXPECT_EQ(read_all(hook[0]), "") << "EOF: nobody holds the hook's pipe";
  ::kill(sides->pid, SIGKILL);
  EXPECT_EQ(read_all(kept[0]), "") << "EOF when it is dead";
  EXPECT_EQ(::waitpid(sides->pid, nullptr, WNOHANG), -1) << "it is not our child";
  ::close(hook[0]);
  ::close(kept[0]);
}

TEST(Detach, ViewerSeesTheEndWhenTheDetachedSideDies) {
  auto sides = detach({std::nullopt, {}});
  ASSERT_TRUE(sides);
  if (sides->detached_side) ::_exit(0);
  EXPECT_EQ(read_all(sides->viewer.get()), "");
}

TEST(Detach, WritesToItsLog) {
  const test::TempFolder folder;
  const auto log = folder / "log";
  std::fflush(stdout);  // ThreadSanitizer's _exit would do it, too
  auto sides = detach({log, {}});
  ASSERT_TRUE(sides);
  if (sides->detached_side) {
    [[maybe_unused]] const auto n = ::write(2, "noted\n", 6);
    ::_exit(0);
  }
  read_all(sides->viewer.get());
  const int fd = ::open(log.c_str(), O_RDONLY);
  EXPECT_EQ(read_all(fd), "noted\n");
  ::close(fd);
  EXPECT_FALSE(detach({std::filesystem::path("/nonexistent/log"), {}}));
}

}  // namespace
}  // namespace davit
