// Health checks of what runs, in the worker: the unit of an app's health watch (health.APP in the home's
// supervision), its process, and checks:run.
#pragma once

#include <string_view>

#include "worker/operations.hpp"

namespace davit {

/// The watch of the app runs for what is live now, or not at all (of a forgotten app too). Idempotent. Under
/// the app's lock, so that the next deployment is not overtaken. What goes wrong is a warning.
void settle_health_unit(Workshop& shop, AppId app, const std::string& name);

/// The operation `health APP REVISION`.
Result<int> watch_health(Workshop& shop, Words words);
/// The operation `check APP [TYPE[.N]]`.
Result<int> run_checks(Workshop& shop, Words words);

}  // namespace davit
