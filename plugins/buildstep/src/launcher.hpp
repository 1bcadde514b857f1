// The launcher: what stands before the argv of every process of a slug.
#pragma once

#include <string_view>

#include "davit/text.hpp"

namespace davit::buildstep {

/// {"/bin/bash", "--noprofile", "--norc", "-c", SCRIPT, "davit-start"}: SCRIPT is share/launcher.sh without
/// its comments. The argv of a process follows as it is: for a line of a Procfile, {"bash", "-c", COMMAND}.
sdk::Strings launcher_argv(std::string_view script);

}  // namespace davit::buildstep
