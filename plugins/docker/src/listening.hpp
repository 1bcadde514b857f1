// Whether somebody listens inside of a container. Docker's relay before a published port takes every
// connection, also while nobody listens behind it: asking from outside is no proof, and on a busy machine it
// is wrong. This is what the host's check goes by.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace davit::docker_plugin {

/// `table`: /proc/PID/net/tcp or tcp6. Not counted: who listens on loopback, where the relay does not come.
bool listens(std::string_view table, std::uint32_t port);

/// DAVIT_LISTENING_* of a container that has `pid`. Unknown if this kernel does not run that process in it
/// (an engine in a virtual machine, say), if `port` is 0, and if somebody listens there on IPv6 only.
std::uint32_t listening(std::int32_t pid, const std::string& container_id, std::uint32_t port);

}  // namespace davit::docker_plugin
