// A ProcessRunner that says what it runs, for --trace.
#pragma once

#include <memory>

#include "base/call_context.hpp"
#include "process/process_runner.hpp"

namespace davit {

/// Passes everything on to `runner`, and traces each program's words, and how and after how long it ended.
/// `context` is borrowed. Not traced: `runner` itself.
std::unique_ptr<ProcessRunner> traced(std::unique_ptr<ProcessRunner> runner, const CallContext& context);

}  // namespace davit
