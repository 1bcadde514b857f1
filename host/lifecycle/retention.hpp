// Retention: what a deployment lets go of at its end, be it a good one or not: old releases, slugs that no
// release needs (a failed one's too), objects, old logs. Only the app's own.
#pragma once

#include "lifecycle/run.hpp"

namespace davit {

/// Failures are warnings: a deploy does not fail because old things could not be cleared.
void apply_retention(DeploymentRun& run);

}  // namespace davit
