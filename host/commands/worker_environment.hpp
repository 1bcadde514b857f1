// The environment that a worker starts with.
#pragma once

#include <string>
#include <vector>

#include "commands/worker_client.hpp"
#include "commands/worker_protocol.hpp"

namespace davit {

/// Complete: "KEY=VALUE".
std::vector<std::string> worker_environment(const WorkerParts& parts, const CallContext& context);

}  // namespace davit
