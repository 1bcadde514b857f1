// Replacement: in which order old and new instances of an app change places, and how many new ones start at
// one time.
#pragma once

#include "lifecycle/run.hpp"

namespace davit {

/// How many new instances of the type may be starting at one time; 0: all of them. app.json's max_parallel,
/// else ps:set max-parallel.
std::uint32_t max_parallel(const DeploymentRun& run, std::string_view process_type);

/// The next number of instances to ask for, when `ready` of `wanted` are there: at least one more, at most
/// `parallel` more (0: all).
unsigned next_count(unsigned ready, unsigned wanted, std::uint32_t parallel);

/// Asks the runtime for the whole group, in batches: each but the last one is healthy before the next starts
/// (the last one is the check phase's). `there`: how many of it run already.
Result<> apply_in_batches(DeploymentRun& run, Group group, unsigned there);

/// Before anything of the new release starts: the live instances of the types that are stopped first
/// (ps:set replacement stop-first: all; checks:disable: those; all that have storage which two releases must
/// not have at once) are stopped, and their end is waited for. A journalled step; its undo starts them again.
/// `phase`: "launch"; or "release", where a command of the new release gets the storage: then only what has
/// it stops. What run:detached began is not: it is named in a warning.
Result<> stop_first(DeploymentRun& run, std::string_view phase);
Result<> undo_stop(DeploymentRun& run, std::string_view token);

}  // namespace davit
