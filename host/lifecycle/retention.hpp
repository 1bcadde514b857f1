// Retention: what a finished deployment lets go of: old releases, their slugs and objects, old logs. Only the
// app's own.
#pragma once

#include "lifecycle/run.hpp"

namespace davit {

/// Failures are warnings: a deploy does not fail because old things could not be cleared.
void apply_retention(DeploymentRun& run);

}  // namespace davit
