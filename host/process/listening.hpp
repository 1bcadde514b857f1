// Who listens where on this machine. Who it is, is for messages: nothing is decided by it.
#pragma once

#include <sys/types.h>

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

namespace davit {

/// "nginx (pid 123)"; "" if nobody listens there. Whose process is not ours to see is "somebody else's
/// program".
std::string holder_of_port(std::uint16_t port);

struct ListeningSocket {
  std::uint16_t port = 0;
  bool loopback = false;  ///< on 127.0.0.1 or ::1 alone

  friend auto operator<=>(const ListeningSocket&, const ListeningSocket&) = default;
};

/// Where a process and its descendants listen (TCP), in whatever network namespace it is; sorted, each once.
/// What is gone, or not ours to see, listens nowhere.
std::vector<ListeningSocket> listening_sockets(pid_t pid);

/// Whether a process is in our network namespace, so that what it listens on is reached without anybody
/// between. Not where it is gone, or not ours to see.
bool is_in_our_network(pid_t pid);

}  // namespace davit
