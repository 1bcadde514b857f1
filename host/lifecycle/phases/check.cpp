// check: wait until what was launched is healthy. Web and workers are ready together or not at all.
#include <fmt/format.h>

#include "lifecycle/checks.hpp"
#include "lifecycle/health_state.hpp"
#include "lifecycle/processes.hpp"

namespace davit {
namespace {

Selector selector_of(const DeploymentRun& run, const std::string& type) {
  return {OwnerKind::kApp, run.app.name, run.revision, type, 0};
}

// A route or stop deployment launches nothing: the live instances are what routes point at.
Result<> take_live(DeploymentRun& run) {
  for (const LiveGroup& group : run.live_groups) {
    if (group.state != GroupState::kLive || group.process_type != kWebType) continue;
    run.revision = group.revision;
    DAVIT_TRY_ASSIGN(run.runtime, run.services.capabilities.runtime(group.runtime));
    DAVIT_TRY_ASSIGN(auto found, run.runtime->inspect(selector_of(run, std::string(kWebType)), run.call));
    run.ready_web = routable(read_health(run.services.store, run.app.id, run.revision), std::move(found));
  }
  return {};
}

}  // namespace

Result<> check(DeploymentRun& run) {
  if (!run.plan.launches && !run.plan.rescales) return take_live(run);
  for (const WantedGroup& wanted : run.wanted) {
    const std::string& type = wanted.process.type;
    const bool listens = type == kWebType;
    if (wanted.count > wanted.old_count || run.plan.launches) {
      CheckTarget target{selector_of(run, type), run.plan.launches ? 1 : wanted.old_count + 1, wanted.count,
                         checks_for(run, type, listens)};
      run.call.out.step(fmt::format("Waiting until {} is healthy", type));
      DAVIT_TRY(wait_until_healthy(run, target));
    }
  }
  // Of a release that is healthy as a whole.
  for (const WantedGroup& wanted : run.wanted) {
    TextMap plan;
    ProcessEvent event{run.app.name, run.revision, wanted.process.type, wanted.count, plan};
    DAVIT_TRY(run.services.bus.ask(Event{event_id::kProcessCheck, &event, {}}, run.call));
  }
  DAVIT_TRY_ASSIGN(run.ready_web, run.runtime->inspect(selector_of(run, std::string(kWebType)), run.call));
  for (const WantedGroup& wanted : run.wanted) {
    if (wanted.process.type != kWebType) continue;
    std::erase_if(run.ready_web, [&](const Instance& instance) { return instance.number > wanted.count; });
  }
  // A scale keeps the live revision, and what the health watch found of it.
  run.ready_web =
      routable(read_health(run.services.store, run.app.id, run.revision), std::move(run.ready_web));
  return {};
}

}  // namespace davit
