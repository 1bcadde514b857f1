// GitSourceStore: source trees from $DAVIT_HOME/repos/APP.git. See lifecycle/source_store.hpp for the
// contract.
#pragma once

#include <memory>

#include "base/paths.hpp"
#include "lifecycle/source_store.hpp"
#include "process/process_runner.hpp"

namespace davit {

/// `processes` is borrowed.
std::unique_ptr<SourceStore> make_git_source_store(Home home, Installation installation,
                                                   ProcessRunner& processes);

}  // namespace davit
