// switch: the proxy validates the new routes, applies them atomically and confirms; then one transaction
// records what is live.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "lifecycle/health_state.hpp"
#include "lifecycle/processes.hpp"
#include "lifecycle/release_extras.hpp"
#include "lifecycle/routes.hpp"
#include "lifecycle/step.hpp"

namespace davit {
namespace {

// A default name that became the app's own when others were added follows the app's name: what Apps::rename
// is going to record.
Result<> rename_defaults(DeploymentRun& run, std::vector<std::string>& hosts) {
  auto& domains = run.services.store.domains();
  DAVIT_TRY_ASSIGN(const auto endings, domains.list(AppId::kGlobal));
  for (const std::string& ending : endings) {
    const auto host = std::ranges::find(hosts, run.renamed_from + "." + ending);
    const std::string name = run.app.name + "." + ending;
    DAVIT_TRY_ASSIGN(const auto owner, domains.owner_of(name));
    if (host != hosts.end() && !owner) *host = name;
  }
  return {};
}

Result<Route> plan_route(DeploymentRun& run) {
  Route route;
  route.app = run.app.name;
  route.replaces = run.renamed_from;
  route.revision = run.revision;
  if (run.deployment.kind == "rollback" && run.request.value("with_domains", false)) {
    DAVIT_TRY_ASSIGN(route.hosts, hosts_of(run.services.store, run.app, run.target->spec.domains));
  } else {
    DAVIT_TRY_ASSIGN(route.hosts, hosts_of(run.services.store, run.app));
  }
  if (run.plan.renames) DAVIT_TRY(rename_defaults(run, route.hosts));
  if (!run.plan.stops) route.endpoints = endpoints_of(run.ready_web);
  TextMap plan{{"hosts", join(route.hosts, " ")}};
  RouteEvent event{run.app.name, run.revision, route.hosts, route.endpoints, plan};
  DAVIT_TRY(run.services.bus.filter(Event{event_id::kRoutePlan, &event, {}}, run.call));
  route.hosts = split_words(plan["hosts"]);
  event.hosts = route.hosts;
  DAVIT_TRY(run.services.bus.ask(Event{event_id::kRouteValidate, &event, {}}, run.call));
  DAVIT_TRY(run_step_hooks(run, "switch", Event{event_id::kRouteSwitch, &event, {}}));
  return route;
}

Result<> apply_route(DeploymentRun& run, Proxy& proxy, const Route& route) {
  DAVIT_TRY(proxy.ensure(run.call));
  DAVIT_TRY_ASSIGN(const std::string token, proxy.prepare(route, run.call));
  const StepSpec spec{"switch", std::string(proxy.id()), "proxy.route", {}, token};
  return journalled(run, spec, [&]() -> Result<> {
    return run.plan.destroys ? proxy.remove(run.app.name, run.call) : proxy.apply(route, token, run.call);
  });
}

// As the config: or the next deploy would move the app away again.
Result<> restore_runtime(DeploymentRun& run) {
  auto& store = run.services.store;
  DAVIT_TRY_ASSIGN(const std::string chosen, runtime_of(store, run.app.id));
  DAVIT_TRY_ASSIGN(const Runtime* runtime, run.services.capabilities.runtime(chosen));
  if (runtime->id() == run.target->spec.runtime) return {};
  return store.properties().set(run.app.id, "ps", "runtime", run.target->spec.runtime);
}

// A rollback brings the config of its release back, so that the next release does not undo it.
Result<> restore_config(DeploymentRun& run) {
  auto& config = run.services.store.config();
  DAVIT_TRY_ASSIGN(const ConfigMap global, config.all(AppId::kGlobal));
  const TextMap defaults = extras_of(run.target->spec).config_defaults;
  ConfigMap own;
  for (const auto& [key, value] : run.target->spec.config) {
    const auto it = global.find(key);
    const bool is_global = it != global.end() && it->second == value;
    const auto suggested = defaults.find(key);
    const bool is_default = suggested != defaults.end() && suggested->second == value.reveal();
    if (!is_global && !is_default) own.emplace(key, value);
  }
  DAVIT_TRY(config.replace(run.app.id, own));
  DAVIT_TRY(restore_runtime(run));
  if (run.request.value("with_scale", false)) {
    DAVIT_TRY(run.services.store.formation().replace(run.app.id, run.target->spec.formation));
  }
  if (run.request.value("with_domains", false)) {
    DAVIT_TRY(run.services.store.domains().assign(run.app.id, run.target->spec.domains));
  }
  return {};
}

// What app.json said becomes the app's with the release that said it.
Result<> record_manifest(DeploymentRun& run) {
  auto& store = run.services.store;
  if (!run.settled_config.empty()) DAVIT_TRY(store.config().set_many(run.app.id, run.settled_config));
  if (!extras_of(run.target->spec).fixes_formation()) return {};
  return store.formation().replace(run.app.id, manifest_quantities(run.target->spec));
}

Result<> record(DeploymentRun& run) {
  auto& store = run.services.store;
  return store.transaction([&]() -> Result<> {
    if (run.plan.launches) {
      DAVIT_TRY(store.live_groups().switch_to(run.app.id, run.revision));
      DAVIT_TRY(forget_health(store, run.app.id));
      if (!run.plan.renames) DAVIT_TRY(store.releases().mark_live(run.app.id, run.target->version));
      DAVIT_TRY(store.properties().unset(run.app.id, "ps", "stopped"));
    }
    if (run.plan.renames) DAVIT_TRY(store.apps().rename(run.app.id, run.app.name));
    if (run.plan.rescales) {
      Quantities counts;
      const auto formation = run.request.value("formation", nlohmann::json::object());
      for (const auto& [type, count] : formation.items()) {
        counts[type] = count.get<std::uint32_t>();
      }
      DAVIT_TRY(store.formation().set_many(run.app.id, counts));
    }
    if (run.link_change) DAVIT_TRY(record_links(store, run.app.id, *run.link_change));
    if (run.deployment.kind == "rollback") DAVIT_TRY(restore_config(run));
    if (run.plan.builds) DAVIT_TRY(record_manifest(run));
    if (run.plan.stops) {
      for (const LiveGroup& group : run.live_groups) {
        DAVIT_TRY(store.live_groups().set_state(run.app.id, group.revision, GroupState::kDraining));
      }
      DAVIT_TRY(store.properties().set(run.app.id, "ps", "stopped", "true"));
    }
    return store.journal().set_state(run.deployment.id, DeploymentState::kCommitted);
  });
}

Result<> say_where(DeploymentRun& run, Proxy& proxy, const Route& route) {
  DAVIT_TRY_ASSIGN(const TextMap facts, proxy.describe(run.call));
  const auto url = facts.find("url");
  if (url == facts.end() || route.hosts.empty() || route.endpoints.empty()) return {};
  run.call.out.header("Application deployed:");
  for (const std::string& host : route.hosts) {
    std::string line = url->second;
    if (const auto at = line.find("HOST"); at != std::string::npos) line.replace(at, 4, host);
    run.call.out.detail(line + "\n");
  }
  return {};
}

}  // namespace

Result<> switch_over(DeploymentRun& run) {
  DAVIT_TRY_ASSIGN(const Route route, plan_route(run));
  DAVIT_TRY_ASSIGN(Proxy * proxy, run.services.capabilities.proxy());
  if (run.plan.renames && !run.live) proxy = nullptr;  // it was never reachable
  if (proxy != nullptr) {
    if (run.plan.launches) run.call.out.step("Switching requests to the new instances");
    DAVIT_TRY(apply_route(run, *proxy, route));
  } else if (!route.endpoints.empty()) {
    run.call.out.warning(
        fmt::format("No proxy is enabled, so nobody is told where the instances of {0} are. See davit "
                    "plugin:list; after davit plugin:enable: davit ps:restart {0}",
                    run.app.name));
  }
  DAVIT_TRY(record(run));
  run.services.failpoint("switch/host/record:committed");
  if (proxy != nullptr && run.plan.launches) {
    if (auto said = say_where(run, *proxy, route); !said) run.call.out.warning(said.error().text());
  }
  return {};
}

}  // namespace davit
