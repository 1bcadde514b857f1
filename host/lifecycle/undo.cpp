// Which undo belongs to which step.
#include "lifecycle/undo.hpp"

#include <fmt/format.h>

#include "lifecycle/rename.hpp"
#include "lifecycle/replacement.hpp"
#include "lifecycle/step.hpp"

namespace davit {
namespace {

struct HostUndo {
  std::string_view hook;
  Result<> (*undo)(DeploymentRun&, std::string_view token);
};

constexpr HostUndo kHostUndos[] = {
    {"app.rename", undo_rename},       {"source.checkout", undo_checkout}, {"build.run", undo_build},
    {"release.create", undo_release},  {"process.stop", undo_stop},        {"process.start", undo_start},
    {"process.rescale", undo_rescale},
};

Result<> undo_host_step(DeploymentRun& run, const Step& step) {
  for (const HostUndo& entry : kHostUndos) {
    if (entry.hook == step.hook) return entry.undo(run, step.token);
  }
  return fail(
      Code::kInternal, fmt::format("This davit does not know the step {}", step.hook),
      "It was begun by another version: install that one, or drop the step with deploys:cancel --force");
}

Result<> undo_route(DeploymentRun& run, const Step& step, Proxy& proxy) {
  return proxy.undo(run.app.name, step.token, run.call);
}

}  // namespace

Result<> undo_step(DeploymentRun& run, const Step& step) {
  if (step.plugin == kHostStep) return undo_host_step(run, step);
  if (step.phase == "switch" && step.hook == "proxy.route") {
    DAVIT_TRY_ASSIGN(Proxy * proxy, run.services.capabilities.proxy());
    if (proxy == nullptr || proxy->id() != step.plugin) {
      return fail(Code::kNotFound, fmt::format("The proxy {} that began this is not enabled", step.plugin),
                  fmt::format("Enable it again: davit plugin:enable {}", step.plugin));
    }
    return undo_route(run, step, *proxy);
  }
  for (Hook* hook : run.services.bus.steps(step.hook)) {
    if (hook->plugin() != step.plugin) continue;
    AppEvent app{run.app.name, run.renamed_from, run.plan.renames};
    Event event{step.hook, std::monostate{}, {{"app", run.app.name}, {"deployment", run.deployment.id}}};
    if (step.hook == event_id::kAppCopy) event.payload = &app;
    return hook->undo(event, step.token, run.call);
  }
  return fail(Code::kNotFound,
              fmt::format("The plugin {} that began {} is not enabled", step.plugin, step.hook),
              fmt::format("Enable it again: davit plugin:enable {}", step.plugin));
}

}  // namespace davit
