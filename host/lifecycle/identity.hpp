// Which process owns a deployment, and whether it still lives. Light: the front program links this and not
// the engine.
#pragma once

#include <sys/types.h>

#include "base/result.hpp"
#include "process/unique_fd.hpp"
#include "store/journal_types.hpp"

namespace davit {

/// The identity of this process, for the journal.
Result<ProcessIdentity> own_identity();
/// The identity of another. kNotFound: there is no such process (a zombie is none).
Result<ProcessIdentity> identity_of(pid_t pid);
/// Whether that process still lives (same boot, same pid, same start time).
bool is_alive(const ProcessIdentity& process);
/// A pidfd of exactly that process: readable at its end, and a signal to it reaches nobody else. Not valid()
/// if it has ended.
UniqueFd open_process(const ProcessIdentity& process);

}  // namespace davit
