// What runs once for a release, in its artifact: the release command and app.json's scripts.
#pragma once

#include "lifecycle/run.hpp"

namespace davit {

/// scripts.dokku.predeploy, then the Procfile's release command. kFailed "predeploy-failed" or
/// "release-command-failed".
Result<> run_before_deploy(DeploymentRun& run);

/// scripts.dokku.postdeploy, and scripts.postdeploy when this was the app's first build. Each at most once
/// for a deployment, also over a crash; a failure is a warning. Runs after the switch.
void run_after_deploy(DeploymentRun& run);

}  // namespace davit
