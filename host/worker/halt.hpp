// halt: the deployments of a home come to an end before the home goes down. What is before its switch is
// cancelled and taken back, what is after it may finish; what takes too long is killed, and left to the
// recovery of the next system:start. Not the end of instances: that is the supervision's.
#pragma once

#include <map>
#include <string>

#include "process/file_lock.hpp"
#include "worker/workshop.hpp"

namespace davit {

inline constexpr MonoMs kHaltLimitMs =
    15'000;  ///< what deployments have for their end before they are killed

/// By the name of the app. While the caller keeps one, no deployment of that app begins.
using AppLocks = std::map<std::string, FileLock, std::less<>>;

/// Adds the locks of all apps that have an unfinished deployment. Takes at most kHaltLimitMs and a few
/// seconds more; afterwards none of these deployments has a process, nor anything that it had started. True
/// if there were any: another may have begun meanwhile, of an app that had none. Errors: the store's;
/// kTimeout if a lock could not be had in spite of all.
Result<bool> halt_deployments(Workshop& shop, AppLocks& locks);

}  // namespace davit
