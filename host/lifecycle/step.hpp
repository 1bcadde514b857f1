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

/// How long an undo waits for a part that does not answer, all steps together; `cancelled` ends it at once.
struct Patience {
  MonoMs limit_ms = 0;
  std::function<bool()> cancelled = [] { return false; };
};

/// The part does not answer now, and may later: what was to be done there is put off, not given up.
bool is_out_of_reach(const Error& error);

/// Undoes every step of the deployment that may have had an effect, the last first. A part that is out of
/// reach is waited for; if it stays so, that is the error, and this step and those before it are left for
/// another time. Else returns the first step's error that could not be undone after three attempts; the
/// others were tried all the same.
Result<> undo_steps(DeploymentRun& run, const Patience& patience);

}  // namespace davit
