// Rename: what a deployment that gives an app another name does besides launching it under that name. The id
// of the app stays, and with it everything that the store has of it.
#pragma once

#include <string_view>

#include "lifecycle/run.hpp"

namespace davit {

/// Takes back the phase `rename` (run.hpp).
Result<> undo_rename(DeploymentRun& run, std::string_view token);

/// Right after the switch, under the app's lock: repository, build cache and slugs are those of the new name.
/// May happen twice.
Result<> move_files(DeploymentRun& run);

/// When nothing is in flight to it any more: the rest of it, logs and the proxy's entry. May happen twice;
/// the engine then lets others have the old name.
Result<> leave_old_name(DeploymentRun& run);

}  // namespace davit
