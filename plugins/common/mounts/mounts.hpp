// What holds for the mounts of every runtime, whatever it makes them with.
#pragma once

#include <string_view>
#include <vector>

#include "davit/values.hpp"

namespace davit::mounts {

/// Both paths are absolute and plain, the source is there, and no target is `own`, above it or below it: that
/// is where the runtime mounts davit's own programs, such as "/run/davit".
/// @throws sdk::Failure of the first mount that cannot be made: invalid `mount`, or not found `mount-source`.
void check_mounts(const std::vector<sdk::Mount>& mounts, std::string_view own);

}  // namespace davit::mounts
