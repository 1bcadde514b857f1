// launch: new groups, workers too, start beside the old ones; or, for a scale, the live groups get another
// count.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "lifecycle/processes.hpp"
#include "lifecycle/replacement.hpp"
#include "lifecycle/step.hpp"
#include "lifecycle/undo.hpp"

namespace davit {
namespace {

using nlohmann::json;

// {"runtime": ID, "revision": "d17", "groups": {"web": 2}}: what undo needs to know.
std::string token_of(const DeploymentRun& run, bool old_counts) {
  json groups = json::object();
  for (const WantedGroup& wanted : run.wanted)
    groups[wanted.process.type] = old_counts ? wanted.old_count : wanted.count;
  return json{{"runtime", run.target->spec.runtime}, {"revision", run.revision}, {"groups", groups}}.dump();
}

Result<> put_record(DeploymentRun& run, const std::string& type, unsigned count, GroupState state) {
  DAVIT_TRY_ASSIGN(const auto mounts, mounts_of(run));
  LiveGroup record;
  record.app = run.app.id;
  record.revision = run.revision;
  record.process_type = type;
  record.release_version = run.target->version;
  record.runtime = run.target->spec.runtime;
  record.count = count;
  record.state = state;
  record.owner = run.app.name;
  record.mounts_json = mounts_to_json(mounts);
  return run.services.store.live_groups().put(record);
}

Result<Quantities> formation_of(DeploymentRun& run) {
  if (run.deployment.kind == "rollback" && run.request.value("with_scale", false))
    return run.target->spec.formation;
  return said_quantities(run, run.target->spec);
}

Result<> plan_groups(DeploymentRun& run, Quantities said) {
  const bool only_some = run.deployment.kind == "scale";
  if (const auto formation = run.request.find("formation"); only_some && formation != run.request.end()) {
    for (const auto& [type, count] : formation->items()) said[type] = count.get<std::uint32_t>();
  }
  const Quantities wanted = wanted_quantities(*run.target, said);
  for (const ReleaseProcess& process : run.target->spec.processes) {
    const auto it = wanted.find(process.type);
    if (it == wanted.end()) continue;
    WantedGroup group{process, it->second, 0};
    for (const LiveGroup& live : run.live_groups) {
      if (live.state == GroupState::kLive && live.process_type == process.type) group.old_count = live.count;
    }
    if (run.plan.rescales && group.count == group.old_count) continue;
    if (run.plan.launches && group.count == 0) continue;
    run.wanted.push_back(std::move(group));
  }
  return {};
}

// Once, when it comes to be so: either may be a slip of the pen, or a type that got another name.
void tell_of_types(DeploymentRun& run, const Quantities& said) {
  const auto was_there = [&](const std::string& type) { return run.live && has_type(run.live->spec, type); };
  std::vector<std::string> unsaid, gone, types;
  for (const auto& [type, count] : wanted_quantities(*run.target, said)) {
    types.push_back(type);
    if (count == 0 && !said.contains(type) && !was_there(type)) unsaid.push_back(type);
  }
  for (const auto& [type, count] : said) {
    if (count > 0 && !has_type(run.target->spec, type) && (!run.live || was_there(type)))
      gone.push_back(fmt::format("{}={}", type, count));
  }
  if (!gone.empty()) {
    run.call.out.warning(fmt::format("The formation has {}, and the release no such process type: it has {}",
                                     join(gone, ", "), join(types, ", ")));
  }
  if (!unsaid.empty()) {
    run.call.out.warning(
        fmt::format("{}: none runs, as nobody said how many. davit ps:scale {} {}=1 starts one",
                    join(unsaid, ", "), run.app.name, unsaid.front()));
  }
}

// Only counts change: the revision that lives keeps its name. Nothing is stopped here: fewer instances come
// after the switch.
Result<> grow(DeploymentRun& run) {
  return journalled(
      run, {"launch", std::string(kHostStep), "process.rescale", {}, token_of(run, true)}, [&]() -> Result<> {
        for (const WantedGroup& wanted : run.wanted) {
          if (wanted.count <= wanted.old_count) continue;
          DAVIT_TRY_ASSIGN(const Group group, group_of(run, wanted.process, wanted.count));
          DAVIT_TRY(put_record(run, wanted.process.type, wanted.count, GroupState::kLive));
          run.call.out.step(
              fmt::format("Starting {} more of {}", wanted.count - wanted.old_count, wanted.process.type));
          DAVIT_TRY(apply_in_batches(run, group, wanted.old_count));
        }
        return {};
      });
}

Result<> start_beside(DeploymentRun& run) {
  return journalled(run, {"launch", std::string(kHostStep), "process.start", {}, token_of(run, false)},
                    [&]() -> Result<> {
                      for (const WantedGroup& wanted : run.wanted) {
                        DAVIT_TRY_ASSIGN(const Group group, group_of(run, wanted.process, wanted.count));
                        DAVIT_TRY(put_record(run, wanted.process.type, wanted.count, GroupState::kLaunching));
                        run.call.out.step(fmt::format("Starting {} × {}", wanted.count, wanted.process.type));
                        DAVIT_TRY(apply_in_batches(run, group, 0));
                      }
                      return {};
                    });
}

std::string live_revision(const DeploymentRun& run) {
  for (const LiveGroup& group : run.live_groups) {
    if (group.state == GroupState::kLive) return group.revision;
  }
  return run.deployment.id;
}

Result<> rescale_to(DeploymentRun& run, std::string_view type, std::uint32_t count) {
  for (const ReleaseProcess& process : run.target->spec.processes) {
    if (process.type != type) continue;
    DAVIT_TRY_ASSIGN(const Group group, group_of(run, process, count));
    if (count == 0) {
      DAVIT_TRY(run.runtime->remove({OwnerKind::kApp, run.app.name, run.revision, std::string(type), 0},
                                    false, run.call));
      return run.services.store.live_groups().remove(run.app.id, run.revision, type);
    }
    DAVIT_TRY(run.runtime->apply(group, run.call));
    return put_record(run, std::string(type), count, GroupState::kLive);
  }
  return {};
}

}  // namespace

Result<> launch(DeploymentRun& run) {
  DAVIT_TRY_ASSIGN(run.runtime, run.services.capabilities.runtime(run.target->spec.runtime));
  run.revision = run.plan.rescales ? live_revision(run) : run.deployment.id;
  DAVIT_TRY_ASSIGN(const Quantities said, formation_of(run));
  DAVIT_TRY(plan_groups(run, said));
  const bool has_web = std::any_of(run.wanted.begin(), run.wanted.end(),
                                   [](const WantedGroup& wanted) { return wanted.process.type == kWebType; });
  if (run.plan.launches && !has_web) {
    run.call.out.warning(fmt::format("{} runs no web process: it will not answer requests", run.app.name));
  }
  if (run.plan.launches) DAVIT_TRY(stop_first(run, "launch"));
  DAVIT_TRY(run.plan.rescales ? grow(run) : start_beside(run));
  if (run.plan.launches) tell_of_types(run, said);
  for (const WantedGroup& wanted : run.wanted) {
    TextMap plan;
    ProcessEvent event{run.app.name, run.revision, wanted.process.type, wanted.count, plan};
    // A row of its own for each type: a phase, plugin and hook may have one only.
    DAVIT_TRY(
        run_step_hooks(run, "launch." + wanted.process.type, Event{event_id::kProcessStart, &event, {}}));
  }
  return {};
}

Result<> undo_start(DeploymentRun& run, std::string_view token) {
  const json what = json::parse(token, nullptr, false);
  const std::string revision = what.value("revision", run.deployment.id);
  DAVIT_TRY_ASSIGN(Runtime * runtime,
                   run.services.capabilities.runtime(what.value("runtime", std::string())));
  DAVIT_TRY(runtime->remove({OwnerKind::kApp, run.app.name, revision, {}, 0}, true, run.call));
  return run.services.store.live_groups().remove_revision(run.app.id, revision);
}

Result<> undo_rescale(DeploymentRun& run, std::string_view token) {
  const json what = json::parse(token, nullptr, false);
  if (!run.live) return {};
  run.target = run.live;
  run.revision = what.value("revision", std::string());
  DAVIT_TRY_ASSIGN(run.runtime, run.services.capabilities.runtime(what.value("runtime", std::string())));
  const auto groups = what.value("groups", json::object());
  for (const auto& [type, count] : groups.items())
    DAVIT_TRY(rescale_to(run, type, count.get<std::uint32_t>()));
  return {};
}

/// For the drain phase: the counts that went down.
Result<> shrink(DeploymentRun& run) {
  for (const WantedGroup& wanted : run.wanted) {
    if (wanted.count < wanted.old_count) DAVIT_TRY(rescale_to(run, wanted.process.type, wanted.count));
  }
  return {};
}

}  // namespace davit
