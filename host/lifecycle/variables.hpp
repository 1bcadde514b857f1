// The variables that an app.json asks for: which of them a build sets, and which are missing.
#pragma once

#include "lifecycle/run.hpp"

namespace davit {

/// Pure: what is to be set, of what is wanted, when `now` is set already. `first`: the app was never live.
/// A variable that is set is left as it is, unless it says sync. One that is not gets its value or a
/// generated secret: at the first build, and if it is required at any.
ConfigMap variables_to_set(const WantedVariables& wanted, const ConfigMap& now, bool first,
                           const std::function<std::string()>& secret);

/// 64 hexadecimal digits from the kernel.
Result<std::string> random_secret();

/// Fills run.settled_config, which counts as the app's config from here on and is stored with the switch.
/// kInvalid "variable-missing" names every required variable that neither the config nor a link nor a plugin
/// gives.
Result<> settle_variables(DeploymentRun& run);

}  // namespace davit
