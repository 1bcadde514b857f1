// A command line of curl as a Request. Pure.
#pragma once

#include <optional>

#include "request.hpp"

namespace davit::downloads {

/// `words` without the program's name. nullopt: this is no plain download of one URL, or has an option that
/// is not known here; the real curl does it alone.
std::optional<Request> parse_curl(const Words& words);

}  // namespace davit::downloads
