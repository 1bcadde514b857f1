// The real Deployer and WorkerClient: processes of host/guard around libexec/davit/davit-worker.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/paths.hpp"
#include "commands/deployer.hpp"
#include "store/store.hpp"

namespace davit {

/// What both need of the front program. The home and the installation are copied; the rest is borrowed.
struct WorkerParts {
  Home home;
  Installation installation;
  const Clock& clock;
  std::function<Result<Store*>()> store;  ///< open for writing; called when it is first needed
  std::vector<std::string> disabled_plugins;
  bool safe_mode = false;
};

std::unique_ptr<WorkerClient> make_worker_client(WorkerParts parts);
/// `workers` runs the recovery; it outlives the deployer.
std::unique_ptr<Deployer> make_deployer(WorkerParts parts, WorkerClient& workers);

}  // namespace davit
