// The Procfile: what process types an app has. Builders read it when the tree is final: some buildpacks write
// it.
#pragma once

#include <string_view>

#include "davit/text.hpp"

namespace davit::source {

/// Type and command of each line, in the file's order. Comments, blank lines, CRLF, a byte order mark and a
/// missing final newline are fine. A command is shell text and is kept as it stands.
/// @throws sdk::Failure procfile-invalid, naming the line.
sdk::Pairs parse_procfile(std::string_view text);

}  // namespace davit::source
