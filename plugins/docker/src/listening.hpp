// Whether somebody listens inside of a container. Docker's relay before a published port takes every
// connection, also while nobody listens behind it: asking from outside is no proof, and on a busy machine it
// is wrong. Not the host's check, which comes after.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace davit::docker_plugin {

/// `table`: /proc/PID/net/tcp or tcp6. Not counted: who listens on loopback, where the relay does not come.
bool listens(std::string_view table, std::uint32_t port);

/// True if this kernel runs the container's first process as `pid`, and nothing in it listens on the port.
/// False also where that cannot be known: an engine in a virtual machine, say.
bool nobody_listens(std::int32_t pid, const std::string& container_id, std::uint32_t port);

}  // namespace davit::docker_plugin
