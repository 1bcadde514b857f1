// Failpoints: what tests make of the moments right after a row of the journal is synced. Without
// DAVIT_FAILPOINT there are none.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace davit {

/// `wanted` is the variable's value, "POINT" being "PHASE/PLUGIN/HOOK:STATE":
///   POINT         SIGKILL to this process
///   guard@POINT   SIGKILL to our parent, the guard; then we die with it, by the kernel's hand (PDEATHSIG)
///   stop@POINT    this process stands still (SIGSTOP) until someone continues it; only at the first time
///   trace@FILE    appends every point to FILE, a line each
/// The returned function is to be called with each point, on one thread.
std::function<void(std::string_view)> failpoint_of(const std::string& wanted);

}  // namespace davit
