// One instance as a line of JSON, for the front program and for people's scripts.
#pragma once

#include <string>
#include <string_view>

#include "plugin/capability.hpp"

namespace davit {

/// `role`: live, draining, ..., or "run".
std::string instance_line(std::string_view app, const Instance& instance, std::uint32_t release_version,
                          std::string_view runtime, std::string_view role);

}  // namespace davit
