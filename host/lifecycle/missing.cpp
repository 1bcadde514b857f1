// See missing.hpp.
#include "lifecycle/missing.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lifecycle/health_state.hpp"
#include "lifecycle/processes.hpp"

namespace davit {
namespace {

// Who has done its work and ended well is not missed, unless requests should go to it. A runtime may have a
// record left of what is gone: it is in no state since any time.
bool is_there(const Instance& instance, const HealthState& health) {
  if (instance.state != InstanceState::kExited) return true;
  const auto known = health.instances.find(short_name(instance));
  if (known != health.instances.end() && known->second.restarting) return true;
  return instance.since_unix_ms != 0 && instance.exit_code == 0 && instance.process_type != kWebType;
}

}  // namespace

std::string MissingInstances::text() const {
  return fmt::format("{} of {} instance{} of {} {} not run", gone, wanted, wanted == 1 ? "" : "s", app,
                     gone == 1 ? "does" : "do");
}

std::string MissingInstances::hint() const {
  return fmt::format("Start them anew: davit ps:restart {}; or all, after system:stop: davit system:start",
                     app);
}

Result<std::vector<MissingInstances>> missing_instances(const LifecycleServices& services,
                                                        const CallContext& call) {
  std::vector<MissingInstances> found;
  DAVIT_TRY_ASSIGN(const auto apps, services.store.apps().list());
  for (const App& app : apps) {
    DAVIT_TRY_ASSIGN(const auto groups, services.store.live_groups().live(app.id));
    MissingInstances missing{app.name};
    for (const LiveGroup& group : groups) {
      const auto runtime = services.capabilities.runtime(group.runtime);
      if (!runtime) continue;
      const auto there =
          (*runtime)->inspect({OwnerKind::kApp, group.owner, group.revision, group.process_type, 0}, call);
      if (!there) continue;
      const HealthState health = read_health(services.store, app.id, group.revision);
      const auto left = static_cast<std::size_t>(
          std::ranges::count_if(*there, [&](const Instance& one) { return is_there(one, health); }));
      missing.wanted += group.count;
      missing.gone += group.count - std::min<std::size_t>(group.count, left);
    }
    if (missing.gone == 0) continue;
    DAVIT_TRY_ASSIGN(const auto unfinished, services.store.journal().unfinished(app.id));
    if (unfinished.empty()) found.push_back(std::move(missing));
  }
  return found;
}

}  // namespace davit
