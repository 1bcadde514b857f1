// halt: the deployments of a home come to an end before the home goes down. What is before its switch is
// cancelled and taken back, what is after it may finish; what takes too long is killed, and left to the
// recovery of the next system:start. Not the end of instances: that is the supervision's.
#pragma once

#include <vector>

#include "process/file_lock.hpp"
#include "worker/workshop.hpp"

namespace davit {

/// The locks of all apps: while the caller keeps them no deployment begins. Takes at most kHaltLimitMs and a
/// few seconds more. Afterwards no detached worker of the home runs, nor anything that one had started.
/// Errors: the store's; kTimeout if a lock could not be had in spite of all.
Result<std::vector<FileLock>> halt_deployments(Workshop& shop);

inline constexpr MonoMs kHaltLimitMs = 15'000;  ///< what a deployment has for its end before it is killed

}  // namespace davit
