// Ports of loopback that can be listened on and reached.
#include "plugin/port_lease.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/text.hpp"
#include "process/unique_fd.hpp"

namespace davit {
namespace {

/// Whether a request of ours to 127.0.0.1:port would arrive: another home's firewall, or the machine's, may
/// close a port on which nobody listens just now. `listener` is bound to it; on loopback the answer comes at
/// once.
bool is_reachable(int listener, sockaddr_in address) {
  constexpr int kAnswerMs = 200;  // for a firewall that says nothing
  const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!client.valid() || ::listen(listener, 1) != 0) return false;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return true;
  if (errno != EINPROGRESS) return false;
  pollfd ready{client.get(), POLLOUT, 0};
  return ::poll(&ready, 1, kAnswerMs) == 1 && (ready.revents & (POLLERR | POLLHUP)) == 0;
}

/// Whether we could listen there on loopback now, and be reached. Without SO_REUSEADDR a port with old
/// connections counts as taken by some kernels' rules; with it only a listener does, which is what matters.
bool is_free(std::uint16_t port) {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return false;
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_ANY);  // a listener on all addresses would get our requests too
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return false;
  return is_reachable(fd.get(), address);
}

// Two homes on one machine begin at different places, so that they seldom want the same port at the same
// moment.
PortRange own_part(const PortRange& whole, const Home& home) {
  constexpr unsigned kPartPorts = 500;
  const unsigned parts = (whole.last - whole.first + 1U) / kPartPorts;
  if (parts < 2) return whole;
  const auto first = static_cast<std::uint16_t>(whole.first + fnv1a(home.root.string()) % parts * kPartPorts);
  return {first, static_cast<std::uint16_t>(first + kPartPorts - 1)};
}

}  // namespace

Result<std::uint16_t> lease_port(Ports& ports, const HostSettings& settings, const Home& home,
                                 std::string_view owner) {
  const PortRange whole{static_cast<std::uint16_t>(settings.port_first),
                        static_cast<std::uint16_t>(settings.port_last)};
  DAVIT_TRY_ASSIGN(const auto held, ports.of_owner(owner));
  if (!held.empty()) return held.front();
  auto leased = ports.lease(own_part(whole, home), owner, 1, is_free);
  if (!leased && leased.error().slug == "ports-exhausted") leased = ports.lease(whole, owner, 1, is_free);
  if (!leased) return fail(leased.error());
  return leased->front();
}

}  // namespace davit
