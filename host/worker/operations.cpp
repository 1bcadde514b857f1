// The table of operations.
#include "worker/operations.hpp"

#include "worker/health_unit.hpp"

namespace davit {
namespace {

constexpr Operation kOperations[] = {
    {"deploy", run_deployment},
    {"recover-deployment", recover_deployment},
    {"recover", recover},
    {"reroute", reroute},
    {"ps", list_instances, true},
    {"logs", show_logs, true},
    {"run", run_command_in_app},
    {"enter", enter},
    {"run-list", list_runs},
    {"run-stop", stop_runs},
    {"command", plugin_command},
    {"publish", publish},
    {"doctor", examine},
    {"system-start", system_start},
    {"system-stop", system_stop},
    {"check", run_checks},
    {"health", watch_health},
    {"service", serve_service},
    {"service-read", read_service, true},
    {"describe-proxy", describe_proxy, true},
    {"collect", collect},
};

}  // namespace

const Operation* find_operation(std::string_view name) {
  for (const Operation& operation : kOperations) {
    if (operation.name == name) return &operation;
  }
  return nullptr;
}

}  // namespace davit
