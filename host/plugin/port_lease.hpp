// One free port of loopback for an owner, from the range that plugins.toml gives this home.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/paths.hpp"
#include "base/result.hpp"
#include "plugin/plugins_toml.hpp"
#include "store/ports.hpp"

namespace davit {

/// What the owner has already; else from our part of the range, else from all of it. Unavailable
/// "ports-exhausted".
Result<std::uint16_t> lease_port(Ports& ports, const HostSettings& settings, const Home& home,
                                 std::string_view owner);

}  // namespace davit
