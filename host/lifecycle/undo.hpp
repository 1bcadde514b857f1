// The undo of each step that the core itself takes, found by the step's hook; steps of plugins go to their
// plugin. Every function works on what never, half or fully happened, in a fresh process, twice.
#pragma once

#include <string_view>

#include "lifecycle/run.hpp"

namespace davit {

Result<> undo_step(DeploymentRun& run, const Step& step);

Result<> undo_checkout(DeploymentRun& run, std::string_view token);
Result<> undo_build(DeploymentRun& run, std::string_view token);
Result<> undo_release(DeploymentRun& run, std::string_view token);
Result<> undo_start(DeploymentRun& run, std::string_view token);
Result<> undo_rescale(DeploymentRun& run, std::string_view token);

}  // namespace davit
