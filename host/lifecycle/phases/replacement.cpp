// replacement: what must not run twice is stopped before its successor starts. Part of the launch phase.
#include "lifecycle/replacement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/defaults.hpp"
#include "lifecycle/checks.hpp"
#include "lifecycle/detached_runs.hpp"
#include "lifecycle/processes.hpp"
#include "lifecycle/question.hpp"
#include "lifecycle/release_extras.hpp"
#include "lifecycle/routes.hpp"
#include "lifecycle/step.hpp"

namespace davit {
namespace {

using nlohmann::json;

constexpr std::uint64_t kStopSlackMs = 15'000;  // beyond the stop timeout, when the runtime kills
constexpr MonoMs kBackAgainMs = 60'000;         // until what was stopped must be up again
constexpr std::uint64_t kLookMs = 250;
constexpr std::string_view kSlugLate = "replacement-timeout";

struct Stopped {
  std::string runtime, owner, revision, type;
  std::string contended;  // the storage for which it stops; "": it would stop anyway
  GroupState state = GroupState::kLive;
};

Selector selector_of(const Stopped& group) {
  return {OwnerKind::kApp, group.owner, group.revision, group.type, 0};
}

bool stops_first(const DeploymentRun& run, std::string_view type) {
  if (run.property("ps", "replacement", "start-first") == "stop-first") return true;
  return lists_type(run.property("checks", "disabled", ""), type);
}

// Those that drain too: they still run.
std::vector<Stopped> groups_to_stop(const DeploymentRun& run, const std::vector<HostMount>& mounts,
                                    bool only_for_storage) {
  std::vector<Stopped> groups;
  for (const LiveGroup& group : run.live_groups) {
    if (group.revision == run.revision) continue;
    const std::string contended = contended_path(mounts_from_json(group.mounts_json), mounts);
    const bool otherwise = !only_for_storage && stops_first(run, group.process_type);
    if (contended.empty() && !otherwise) continue;
    groups.push_back(
        {group.runtime, group.owner, group.revision, group.process_type, contended, group.state});
  }
  return groups;
}

bool has_ended(const Instance& instance) {
  return instance.state == InstanceState::kExited;
}

// What run:detached began is the user's: it is not stopped, and keeps what it mounted. Where it cannot be
// asked for, nobody is kept from deploying.
void tell_of_runs(DeploymentRun& run, const std::vector<HostMount>& mounts) {
  const std::string contended = contended_path(mounts, mounts);
  if (contended.empty() || run.runs_told || !run.live) return;
  run.runs_told = true;
  const std::string& owner = run.plan.renames ? run.renamed_from : run.app.name;
  const auto runs = detached_runs(run.services, run.app.id, owner, run.call);
  if (!runs) return;
  for (const auto& [runtime, instance] : runs->list) {
    if (has_ended(instance)) continue;
    run.call.out.warning(
        fmt::format("{} still runs, and may use {} beside the new release: davit run:stop {} {}", instance.id,
                    contended, owner, instance.id));
  }
}

// {"groups": [{runtime, owner, revision, type}]}: the live ones are what undo starts again.
std::string token_of(const std::vector<Stopped>& groups) {
  json list = json::array();
  for (const Stopped& group : groups) {
    if (group.state != GroupState::kLive) continue;
    list.push_back({{"runtime", group.runtime},
                    {"owner", group.owner},
                    {"revision", group.revision},
                    {"type", group.type}});
  }
  return json{{"groups", list}}.dump();
}

Result<bool> have_ended(DeploymentRun& run, Runtime& runtime, const Stopped& group) {
  DAVIT_TRY_ASSIGN(const auto instances, runtime.inspect(selector_of(group), run.call));
  return std::ranges::all_of(instances, has_ended);
}

Result<> wait_for_all(DeploymentRun& run, Runtime& runtime, const Stopped& group, MonoMs limit_ms,
                      const std::function<bool(const Instance&)>& reached, std::string_view what) {
  const MonoMs until = run.services.clock.now_mono_ms() + limit_ms;
  for (;;) {
    DAVIT_TRY_ASSIGN(const auto instances, runtime.inspect(selector_of(group), run.call));
    if (std::ranges::all_of(instances, reached)) return {};
    if (run.services.clock.now_mono_ms() >= until) {
      return fail(Code::kTimeout, fmt::format("{} of {} {}", group.type, group.revision, what),
                  "See davit ps:inspect and davit logs", std::string(kSlugLate));
    }
    DAVIT_TRY(runtime.wait_change(selector_of(group), kLookMs, run.call));
  }
}

Result<> stop_all(DeploymentRun& run, const std::vector<Stopped>& groups) {
  const auto limit_ms =
      static_cast<MonoMs>(1000 * (run.number_property("ps", "stop-timeout-seconds", defaults::kStopTimeoutS) +
                                  run.number_property("checks", "wait-to-retire", defaults::kWaitToRetireS)) +
                          kStopSlackMs);
  for (const Stopped& group : groups) {
    // What drains is ended by another worker; what launches is of a deployment that is stuck, and by nobody.
    if (group.state != GroupState::kLive && group.state != GroupState::kLaunching) continue;
    DAVIT_TRY_ASSIGN(Runtime * runtime, run.services.capabilities.runtime(group.runtime));
    DAVIT_TRY_ASSIGN(const bool ended, have_ended(run, *runtime, group));
    if (ended) continue;  // before a command of the new release, for example
    run.call.out.step(fmt::format(
        "Stopping {} of {} first{}", group.type, group.revision,
        group.contended.empty() ? "" : fmt::format(": {} is not for two releases at once", group.contended)));
    DAVIT_TRY(runtime->stop(selector_of(group), run.call));
  }
  for (const Stopped& group : groups) {
    DAVIT_TRY_ASSIGN(Runtime * runtime, run.services.capabilities.runtime(group.runtime));
    DAVIT_TRY(wait_for_all(run, *runtime, group, limit_ms, has_ended, "did not end in time"));
  }
  return {};
}

// A proxy takes no route to what does not listen.
bool is_back(DeploymentRun& run, Runtime& runtime, const Instance& instance) {
  if (instance.state != InstanceState::kUp) return false;
  return instance.process_type != kWebType ||
         ask_instance(run.services, runtime, instance, HealthCheck{}, run.call).has_value();
}

}  // namespace

std::uint32_t max_parallel(const DeploymentRun& run, std::string_view process_type) {
  if (run.target) {
    const ReleaseExtras extras = extras_of(run.target->spec);
    const auto entry = extras.formation.find(process_type);
    if (entry != extras.formation.end() && entry->second.max_parallel != 0) return entry->second.max_parallel;
  }
  return static_cast<std::uint32_t>(run.number_property("ps", "max-parallel", 0));
}

unsigned next_count(unsigned ready, unsigned wanted, std::uint32_t parallel) {
  if (parallel == 0 || wanted - std::min(ready, wanted) <= parallel) return wanted;
  return ready + parallel;
}

Result<> apply_in_batches(DeploymentRun& run, Group group, unsigned there) {
  const unsigned wanted = group.count;
  const std::string type = group.process_type;
  const std::uint32_t parallel = max_parallel(run, type);
  const auto checks = checks_for(run, type, type == kWebType);
  for (unsigned healthy = there;;) {
    group.count = next_count(healthy, wanted, parallel);
    DAVIT_TRY(run.runtime->apply(group, run.call));
    if (group.count == wanted) return {};
    run.services.failpoint(fmt::format("launch/host/batch.{}:started", type));
    run.call.out.step(fmt::format("Waiting until {} is healthy, {} of {}", type, group.count, wanted));
    const Selector selector{OwnerKind::kApp, run.app.name, run.revision, type, 0};
    DAVIT_TRY(wait_until_healthy(run, {selector, healthy + 1, group.count, checks}));
    healthy = group.count;
  }
}

Result<> stop_first(DeploymentRun& run, std::string_view phase) {
  DAVIT_TRY_ASSIGN(const auto mounts, mounts_of(run));
  tell_of_runs(run, mounts);
  const auto groups = groups_to_stop(run, mounts, phase == "release");
  if (groups.empty()) return {};
  const StepSpec spec{std::string(phase), std::string(kHostStep), "process.stop", {}, token_of(groups)};
  return journalled(run, spec, [&] { return stop_all(run, groups); });
}

// What was stopped comes back under its own name; where it listens may have changed, so the routes are made
// anew.
Result<> undo_stop(DeploymentRun& run, std::string_view token) {
  const json what = json::parse(token, nullptr, false);
  if (!what.is_object()) return {};
  std::vector<Stopped> groups;
  for (const json& entry : what.value("groups", json::array())) {
    groups.push_back({entry.value("runtime", std::string()),
                      entry.value("owner", std::string()),
                      entry.value("revision", std::string()),
                      entry.value("type", std::string()),
                      {},
                      GroupState::kLive});
  }
  for (const Stopped& group : groups) {
    run.call.out.step(fmt::format("Starting {} of {} again", group.type, group.revision));
    DAVIT_TRY_ASSIGN(Runtime * runtime, run.services.capabilities.runtime(group.runtime));
    // A stop that was asked for just before a crash may not have ended yet: then "up" is of the old process.
    DAVIT_TRY(runtime->start(selector_of(group), run.call));
  }
  // Not an error: an instance that does not come up is the old release's own trouble, and it is told.
  bool all_back = true;
  for (const Stopped& group : groups) {
    DAVIT_TRY_ASSIGN(Runtime * runtime, run.services.capabilities.runtime(group.runtime));
    const auto back = wait_for_all(
        run, *runtime, group, kBackAgainMs,
        [&](const Instance& instance) { return is_back(run, *runtime, instance); }, "did not come up again");
    if (!back && back.error().slug != kSlugLate) return back;
    if (!back) run.call.out.warning(back.error().text());
    all_back = all_back && back.has_value();
  }
  DAVIT_TRY_ASSIGN(const App app, run.services.store.apps().get(run.app.id));  // by its name of now
  const auto routed = reroute_app(run.services, app.name, run.call);
  if (routed || all_back) return routed;
  run.call.out.warning(routed.error().text());
  return {};
}

}  // namespace davit
