// A command line of wget as a Request for curl, and curl's exit codes as wget's. The name that wget chooses
// for a file depends on what is in the folder; the rest is pure.
#pragma once

#include <optional>

#include "request.hpp"

namespace davit::downloads {

/// `words` without the program's name. nullopt: this is no plain download of one URL; the real wget does it
/// alone.
std::optional<Request> parse_wget(const Words& words);

/// 4 network, 5 TLS, 8 an error of the server, 3 files, 1 anything else.
int wget_exit_code(int curl_code);

}  // namespace davit::downloads
