// The sentences with which the guard names a plugin that crashed, hung or exited. Pure.
#pragma once

#include "guard/run_worker.hpp"

namespace davit {

/// Fills message and hint from end, signal, exit_code and last:
/// "plugin X crashed in EVENT (signal 11, SIGSEGV)", "Disable it with `davit plugin:disable X` or
/// DAVIT_PLUGINS_DISABLE=X".
void describe_end(WorkerResult& result);

}  // namespace davit
