// Journalled steps: a row before, a row after, and the failpoint between; so that whoever comes after a crash
// knows.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "lifecycle/run.hpp"

namespace davit {

/// The plugin name that steps of the core itself carry.
inline constexpr std::string_view kHostStep = "host";

struct StepSpec {
  std::string phase;
  std::string plugin{kHostStep};
  std::string hook;     ///< what it does: "source.checkout", "process.start", "route.switch"
  std::string version;  ///< the plugin's
  std::string token;    ///< what undo will need
};

/// Writes the prepared row, applies, writes the applied row. On failure of `apply` the row stays "applying",
/// so that the undo (ours, or that of a later process) takes it back.
Result<> journalled(DeploymentRun& run, const StepSpec& spec, const std::function<Result<>()>& apply);

/// prepare, journal and apply of every hook of a step event, in order.
Result<> run_step_hooks(DeploymentRun& run, std::string_view phase, const Event& event);

/// Undoes every step of the deployment that may have had an effect, the last first. Returns the first step's
/// error that could not be undone after three attempts; the others were tried all the same.
Result<> undo_steps(DeploymentRun& run);

}  // namespace davit
