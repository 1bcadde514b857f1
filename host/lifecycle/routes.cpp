// Which hosts lead to an app.
#include "lifecycle/routes.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "lifecycle/health_state.hpp"
#include "lifecycle/processes.hpp"

namespace davit {

Result<std::vector<std::string>> hosts_of(Store& store, const App& app) {
  DAVIT_TRY_ASSIGN(const auto own, store.domains().list(app.id));
  return hosts_of(store, app, own);
}

Result<std::vector<std::string>> hosts_of(Store& store, const App& app, const std::vector<std::string>& own) {
  DAVIT_TRY_ASSIGN(const bool enabled, store.domains().enabled(app.id));
  if (!enabled) return std::vector<std::string>{};
  if (!own.empty()) return own;
  // A name with a dot is its own host name.
  if (app.name.find('.') != std::string::npos) return std::vector<std::string>{app.name};
  DAVIT_TRY_ASSIGN(const auto global, store.domains().list(AppId::kGlobal));
  std::vector<std::string> hosts;
  for (const std::string& domain : global) hosts.push_back(app.name + "." + domain);
  return hosts;
}

std::vector<Endpoint> endpoints_of(const std::vector<Instance>& instances) {
  std::vector<Endpoint> endpoints;
  for (const Instance& instance : instances) {
    endpoints.insert(endpoints.end(), instance.endpoints.begin(), instance.endpoints.end());
  }
  return endpoints;
}

Result<> reroute_app(const LifecycleServices& services, std::string_view name, const CallContext& call) {
  DAVIT_TRY_ASSIGN(Proxy * proxy, services.capabilities.proxy());
  if (proxy == nullptr) return {};
  DAVIT_TRY_ASSIGN(const App app, services.store.apps().get(name));
  DAVIT_TRY_ASSIGN(const auto groups, services.store.live_groups().live(app.id));
  Route route;
  route.app = app.name;
  DAVIT_TRY_ASSIGN(route.hosts, hosts_of(services.store, app));
  for (const LiveGroup& group : groups) {
    if (group.process_type != kWebType) continue;
    route.revision = group.revision;
    DAVIT_TRY_ASSIGN(Runtime * runtime, services.capabilities.runtime(group.runtime));
    DAVIT_TRY_ASSIGN(
        auto instances,
        runtime->inspect({OwnerKind::kApp, app.name, group.revision, group.process_type, 0}, call));
    route.endpoints =
        endpoints_of(routable(read_health(services.store, app.id, group.revision), std::move(instances)));
  }
  if (route.endpoints.empty()) return {};
  TextMap plan{{"hosts", join(route.hosts, " ")}};
  RouteEvent event{app.name, route.revision, route.hosts, route.endpoints, plan};
  DAVIT_TRY(services.bus.filter(Event{event_id::kRoutePlan, &event, {}}, call));
  route.hosts = split_words(plan["hosts"]);
  event.hosts = route.hosts;
  DAVIT_TRY(services.bus.ask(Event{event_id::kRouteValidate, &event, {}}, call));
  DAVIT_TRY(proxy->ensure(call));
  DAVIT_TRY_ASSIGN(const std::string token, proxy->prepare(route, call));
  auto applied = proxy->apply(route, token, call);
  if (!applied) {
    if (auto undone = proxy->undo(app.name, token, call); !undone) call.out.warning(undone.error().text());
  }
  return applied;
}

bool reroute_apps(const LifecycleServices& services, std::span<const std::string> apps,
                  const CallContext& call) {
  bool all = true;
  for (const std::string& app : apps) {
    const auto routed = reroute_app(services, app, call);
    if (routed) continue;
    all = false;
    call.out.warning(fmt::format("{} keeps the routes that it had: {}", app, routed.error().text()));
    if (!routed.error().hint.empty()) call.out.warning(routed.error().hint);
  }
  return all;
}

}  // namespace davit
