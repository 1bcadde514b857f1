// Who has a port.
#include "process/port_holder.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "process/unique_fd.hpp"

namespace davit {
namespace {

TEST(PortHolder, IsTheProgramThatListens) {
  UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::uint16_t port = ntohs(address.sin_port);
  EXPECT_EQ(holder_of_port(port), "") << "it is bound, and does not listen";
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  EXPECT_NE(holder_of_port(port).find(fmt::format("(pid {})", ::getpid())), std::string::npos);
}

}  // namespace
}  // namespace davit
