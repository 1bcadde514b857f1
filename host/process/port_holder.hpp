// Who listens at a port of this machine, for messages: nothing is decided by it.
#pragma once

#include <cstdint>
#include <string>

namespace davit {

/// "nginx (pid 123)"; "" if nobody listens there. Whose process is not ours to see is "somebody else's
/// program".
std::string holder_of_port(std::uint16_t port);

}  // namespace davit
