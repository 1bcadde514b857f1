// The units that pass connections on to a service: from a port of the world (expose), and from a unix socket,
// for instances whose 127.0.0.1 is not the machine's. The socket is mounted into them
// (lifecycle/service_mounts.hpp).
#pragma once

#include <cstdint>
#include <string>

#include "store/store.hpp"
#include "worker/workshop.hpp"

namespace davit {

/// Fails if the port is taken.
Result<> open_port(Workshop& shop, const Service& service, std::uint16_t port);
Result<> close_port(Workshop& shop, const Service& service);

/// The folder that holds the socket `socket`. Idempotent; it goes on after a reboot, too.
Result<std::string> open_socket(Workshop& shop, const Service& service);
Result<> close_socket(Workshop& shop, const Service& service);

}  // namespace davit
