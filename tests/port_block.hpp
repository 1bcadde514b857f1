// PortBlock: ports of loopback that no other test of this machine uses now. The C++ side of
// tests/e2e/ports.py, with the same numbers: a block is held by the name of an abstract unix socket, so that
// a test that dies leaves none behind, and any user may hold one. Below the ephemeral range, where every
// connection may take a port, and below what davit leases by default.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

namespace davit::test {

/// Threads: one.
class PortBlock {
 public:
  PortBlock() {
    for (int number = 0; number < kBlocks; ++number) {
      if (!hold(number)) continue;
      first_ = static_cast<std::uint16_t>(kFirst + number * kPorts);
      return;
    }
    throw std::runtime_error("no block of ports is free: are there tests that hang?");
  }
  PortBlock(const PortBlock&) = delete;
  PortBlock& operator=(const PortBlock&) = delete;
  ~PortBlock() { ::close(marker_); }

  /// One that nobody listens on, another one each time until all had their turn.
  std::uint16_t next() {
    for (int tried = 0; tried < kPorts; ++tried) {
      const auto port = static_cast<std::uint16_t>(first_ + turn_++ % kPorts);
      if (is_free(port)) return port;
    }
    throw std::runtime_error("no port is free from " + std::to_string(first_));
  }

 private:
  static constexpr int kFirst = 10'000;
  static constexpr int kPorts = 50;
  static constexpr int kBlocks = 190;

  bool hold(int number) {
    const std::string name = "davit-test-ports-" + std::to_string(number);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, name.data(), name.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    marker_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::bind(marker_, reinterpret_cast<sockaddr*>(&address), size) == 0) return true;
    ::close(marker_);
    return false;
  }

  static bool is_free(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    const bool free = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return free;
  }

  int marker_ = -1;
  std::uint16_t first_ = 0;
  int turn_ = 0;
};

}  // namespace davit::test
