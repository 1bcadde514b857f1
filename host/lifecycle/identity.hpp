// Which process owns a deployment, and whether it still lives. Light: the front program links this and not
// the engine.
#pragma once

#include "base/result.hpp"
#include "store/journal_types.hpp"

namespace davit {

/// The identity of this process, for the journal.
Result<ProcessIdentity> own_identity();
/// Whether that process still lives (same boot, same pid, same start time).
bool is_alive(const ProcessIdentity& process);

}  // namespace davit
