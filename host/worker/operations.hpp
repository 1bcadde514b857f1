// The operations of the worker: the first word of its arguments. Their list, with arguments, is in
// commands/deployer.hpp.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "worker/workshop.hpp"

namespace davit {

using Words = std::span<const std::string>;

struct Operation {
  std::string_view name;
  Result<int> (*run)(Workshop& shop, Words words);  ///< the exit code
  bool only_reads = false;  ///< also on a disk that is read-only, or beside a plugin with a problem
};

/// nullptr: no such operation.
const Operation* find_operation(std::string_view name);

// deploy.cpp
Result<int> run_deployment(Workshop& shop, Words words);
Result<int> recover_deployment(Workshop& shop, Words words);
Result<int> recover(Workshop& shop, Words words);
Result<int> reroute(Workshop& shop, Words words);
// instances.cpp
Result<int> list_instances(Workshop& shop, Words words);
Result<int> show_logs(Workshop& shop, Words words);
// interactive.cpp
Result<int> run_command_in_app(Workshop& shop, Words words);
Result<int> enter(Workshop& shop, Words words);
Result<int> list_runs(Workshop& shop, Words words);
Result<int> stop_runs(Workshop& shop, Words words);
// notices.cpp
Result<int> plugin_command(Workshop& shop, Words words);
Result<int> publish(Workshop& shop, Words words);
Result<int> examine(Workshop& shop, Words words);
// services.cpp
Result<int> serve_service(Workshop& shop, Words words);
Result<int> read_service(Workshop& shop, Words words);
// system.cpp
Result<int> describe_proxy(Workshop& shop, Words words);
Result<int> collect(Workshop& shop, Words words);
Result<int> system_start(Workshop& shop, Words words);
Result<int> system_stop(Workshop& shop, Words words);

}  // namespace davit
