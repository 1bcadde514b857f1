// Who has a port, and which ports a program has.
#include "process/listening.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "process/unique_fd.hpp"

namespace davit {
namespace {

using testing::Contains;

struct Bound {
  UniqueFd socket;
  std::uint16_t port = 0;
};

Bound bound(in_addr_t where) {
  Bound made{UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(where);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(made.socket.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(made.socket.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  made.port = ntohs(address.sin_port);
  return made;
}

TEST(Listening, ThePortsHolderIsTheProgramThatListens) {
  const Bound here = bound(INADDR_LOOPBACK);
  EXPECT_EQ(holder_of_port(here.port), "") << "it is bound, and does not listen";
  ASSERT_EQ(::listen(here.socket.get(), 1), 0);
  EXPECT_NE(holder_of_port(here.port).find(fmt::format("(pid {})", ::getpid())), std::string::npos);
}

TEST(Listening, AProgramsSocketsAreTheirsAndTheirDescendants) {
  const Bound everywhere = bound(INADDR_ANY);
  const Bound inside = bound(INADDR_LOOPBACK);
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::setpgid(0, 0);
    ::listen(everywhere.socket.get(), 1);
    if (::fork() == 0) {
      ::listen(inside.socket.get(), 1);
      (void)!::write(ready[1], "x", 1);
    }
    ::pause();
    ::_exit(0);
  }
  char byte;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  std::vector<ListeningSocket> wanted{{everywhere.port, false}, {inside.port, true}};
  std::ranges::sort(wanted);
  EXPECT_EQ(listening_sockets(child), wanted);
  EXPECT_THAT(listening_sockets(::getpid()), Contains(ListeningSocket{inside.port, true}));
  ASSERT_EQ(::kill(-child, SIGKILL), 0);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(listening_sockets(child).empty());
  EXPECT_TRUE(listening_sockets(0).empty());
}

TEST(Listening, ANetworkOfItsOwnIsNotOurs) {
  EXPECT_TRUE(is_in_our_network(::getpid()));
  EXPECT_FALSE(is_in_our_network(0));
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const char result =
        ::unshare(CLONE_NEWNET) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 ? 'y' : 'n';
    (void)!::write(ready[1], &result, 1);
    ::pause();
    ::_exit(0);
  }
  char result = 0;
  ASSERT_EQ(::read(ready[0], &result, 1), 1);
  const bool seen = is_in_our_network(child);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_FALSE(is_in_our_network(child)) << "gone";
  if (result != 'y') GTEST_SKIP() << "no network namespace can be made here";
  EXPECT_FALSE(seen);
}

}  // namespace
}  // namespace davit
