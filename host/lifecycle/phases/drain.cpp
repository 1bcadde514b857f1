// drain: what no longer gets requests may finish those it has, until the drain limit; then it is stopped and
// removed. Runs after the commit, outside the app's lock; everything here may happen twice.
#include <fmt/format.h>

#include <set>

#include "base/defaults.hpp"
#include "lifecycle/processes.hpp"
#include "lifecycle/replacement.hpp"
#include "lifecycle/routes.hpp"
#include "lifecycle/run.hpp"

namespace davit {

Result<> shrink(DeploymentRun& run);  // launch.cpp

namespace {

constexpr std::size_t kDrainingRevisions = 2;

Result<> drain_requests(DeploymentRun& run, Runtime& runtime, const std::string& owner,
                        const std::string& revision, unsigned above) {
  DAVIT_TRY_ASSIGN(Proxy * proxy, run.services.capabilities.proxy());
  if (proxy == nullptr) return {};
  DAVIT_TRY_ASSIGN(auto instances,
                   runtime.inspect({OwnerKind::kApp, owner, revision, std::string(kWebType), 0}, run.call));
  std::erase_if(instances, [&](const Instance& instance) { return instance.number <= above; });
  if (instances.empty()) return {};
  Route route{owner, revision, {}, endpoints_of(instances), false, {}};
  const auto limit_ms = 1000 * run.number_property("checks", "wait-to-retire", defaults::kWaitToRetireS);
  auto drained = proxy->drain(route, limit_ms, run.call);
  if (!drained && drained.error().code != Code::kTimeout) run.call.out.warning(drained.error().text());
  return {};
}

// The instances of one revision go: requests first, then the processes, then the record.
Result<> retire(DeploymentRun& run, const LiveGroup& group) {
  const std::string& revision = group.revision;
  DAVIT_TRY_ASSIGN(Runtime * runtime, run.services.capabilities.runtime(group.runtime));
  DAVIT_TRY(drain_requests(run, *runtime, group.owner, revision, 0));
  DAVIT_TRY(run.services.store.live_groups().set_state(run.app.id, revision, GroupState::kStopping));
  TextMap plan;
  ProcessEvent event{group.owner, revision, {}, 0, plan};
  run.services.bus.tell(Event{event_id::kProcessStop, &event, {}}, run.call);
  DAVIT_TRY(runtime->remove({OwnerKind::kApp, group.owner, revision, {}, 0}, run.plan.destroys, run.call));
  return run.services.store.live_groups().remove_revision(run.app.id, revision);
}

Result<> cut_oldest(DeploymentRun& run) {
  DAVIT_TRY_ASSIGN(const auto too_many,
                   run.services.store.live_groups().draining_beyond(run.app.id, kDrainingRevisions));
  for (const LiveGroup& group : run.live_groups) {
    for (const std::string& revision : too_many) {
      if (group.revision != revision) continue;
      DAVIT_TRY_ASSIGN(Runtime * runtime, run.services.capabilities.runtime(group.runtime));
      DAVIT_TRY(runtime->remove({OwnerKind::kApp, group.owner, revision, {}, 0}, false, run.call));
      DAVIT_TRY(run.services.store.live_groups().remove_revision(run.app.id, revision));
    }
  }
  return {};
}

// After a crash `wanted` is empty: the request says which counts were wanted.
Result<> shrink_after_crash(DeploymentRun& run) {
  DAVIT_TRY_ASSIGN(const Quantities said, run.services.store.formation().get(run.app.id));
  const Quantities wanted = wanted_quantities(*run.target, said);
  for (const ReleaseProcess& process : run.target->spec.processes) {
    for (const LiveGroup& group : run.live_groups) {
      if (group.state != GroupState::kLive || group.process_type != process.type) continue;
      const auto it = wanted.find(process.type);
      if (it != wanted.end() && it->second < group.count) {
        run.revision = group.revision;
        run.wanted.push_back({process, it->second, group.count});
      }
    }
  }
  return {};
}

Result<> drain_rescaled(DeploymentRun& run) {
  if (!run.target) run.target = run.live;
  if (!run.target) return {};
  DAVIT_TRY_ASSIGN(run.runtime, run.services.capabilities.runtime(run.target->spec.runtime));
  if (run.wanted.empty()) DAVIT_TRY(shrink_after_crash(run));
  for (const WantedGroup& wanted : run.wanted) {
    if (wanted.process.type == kWebType && wanted.count < wanted.old_count) {
      DAVIT_TRY(drain_requests(run, *run.runtime, run.app.name, run.revision, wanted.count));
    }
  }
  return shrink(run);
}

}  // namespace

Result<> drain(DeploymentRun& run) {
  if (run.plan.rescales) return drain_rescaled(run);
  DAVIT_TRY_ASSIGN(run.live_groups, run.services.store.live_groups().of_app(run.app.id));
  DAVIT_TRY(cut_oldest(run));
  TextMap plan;
  ProcessEvent event{run.app.name, run.revision, {}, 0, plan};
  run.services.bus.tell(Event{event_id::kProcessDrain, &event, {}}, run.call);
  std::set<std::string> done;
  DAVIT_TRY_ASSIGN(run.live_groups, run.services.store.live_groups().of_app(run.app.id));
  for (const LiveGroup& group : run.live_groups) {
    const bool leaves = group.state == GroupState::kDraining || group.state == GroupState::kStopping;
    if (!leaves || !done.insert(group.revision).second) continue;
    DAVIT_TRY(retire(run, group));
  }
  return {};
}

}  // namespace davit
