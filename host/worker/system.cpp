// A home comes up and goes down as a whole.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "lifecycle/collect.hpp"
#include "lifecycle/missing.hpp"
#include "service/keeper.hpp"
#include "worker/halt.hpp"
#include "worker/operations.hpp"

namespace davit {
namespace {

constexpr std::int64_t kStopDeadlineMs = 90'000;
constexpr int kStopRounds = 3;

/// Whether a unit is an app's, and not a service's: those wait until the services answer.
Result<std::function<bool(std::string_view)>> units_of_apps(Workshop& shop) {
  DAVIT_TRY_ASSIGN(Store * store, shop.store());
  DAVIT_TRY_ASSIGN(const auto services, store->services().list(""));
  DAVIT_TRY_ASSIGN(const auto names, store->apps().names());
  std::set<std::string, std::less<>> owners;
  for (const Service& service : services) owners.insert(owner_of(service));
  if (owners.empty()) return [](std::string_view) { return false; };
  return
      [owners, apps = std::set<std::string, std::less<>>(names.begin(), names.end())](std::string_view unit) {
        // OWNER.REVISION.TYPE.NUMBER; an owner may have dots.
        std::string_view owner = unit;
        for (int i = 0; i < 3; ++i) {
          const auto dot = owner.rfind('.');
          owner = owner.substr(0, dot == std::string_view::npos ? 0 : dot);
        }
        return apps.contains(owner) && !owners.contains(owner);
      };
}

// One that does not come up keeps neither the others nor the apps down.
void start_service(Workshop& shop, ServiceKeeper& keeper, const Service& service) {
  const auto up = [&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const FileLock lock,
                     keeper.lock(service.kind, service.name, "system:start", shop.context()));
    const auto settled = keeper.world().store.services().get(service.kind, service.name);
    if (!settled || settled->state != ServiceState::kRunning) return {};
    return keeper.await(*settled, kStartLimitMs, shop.context());
  }();
  if (up) return;
  shop.out().warning(fmt::format("{} {}: {}", service.kind, service.name, up.error().text()));
}

// Before the apps that use them.
void start_services(Workshop& shop) {
  auto world = shop.services();
  if (!world) return shop.out().warning(world.error().text());
  ServiceKeeper keeper(std::move(*world));
  const auto services = keeper.world().store.services().list("");
  if (!services) return shop.out().warning(services.error().text());
  for (const Service& service : *services) start_service(shop, keeper, service);
  if (!services->empty()) shop.out().step(fmt::format("{} services", services->size()));
  if (const auto swept = keeper.sweep("", shop.context()); !swept) shop.out().warning(swept.error().text());
}

// What was removed by hand while all was down cannot come back by itself.
Result<> warn_of_missing(Workshop& shop) {
  DAVIT_TRY_ASSIGN(const LifecycleServices services, shop.lifecycle());
  DAVIT_TRY_ASSIGN(const auto missing, missing_instances(services, shop.context()));
  for (const MissingInstances& of_app : missing) {
    shop.out().warning(of_app.text());
    shop.out().warning(of_app.hint());
  }
  return {};
}

Result<> start_proxy(Workshop& shop, PluginHost& plugins) {
  DAVIT_TRY_ASSIGN(Proxy * proxy, plugins.proxy());
  if (proxy == nullptr) return {};
  DAVIT_TRY(proxy->ensure(shop.context()));
  shop.out().step(fmt::format("{} is up", proxy->id()));
  return {};
}

Result<> start_hook(Workshop& shop, Hook& hook, const Event& event) {
  DAVIT_TRY_ASSIGN(const std::string token, hook.prepare(event, shop.context()));
  return hook.apply(event, token, shop.context());
}

// The proxy, and what plugins do in system.start, such as starting containers: one that fails keeps none of
// the others down. The first failure is the answer.
Result<> start_plugins(Workshop& shop) {
  DAVIT_TRY_ASSIGN(PluginHost * plugins, shop.plugins());
  DAVIT_TRY_ASSIGN(EventBus * bus, shop.bus());
  Result<> all = start_proxy(shop, *plugins);
  const Event event{event_id::kSystemStart, std::monostate{}, {}};
  for (Hook* hook : bus->steps(event.id)) {
    auto done = start_hook(shop, *hook, event);
    if (done) continue;
    if (all)
      all = std::move(done);
    else
      shop.out().warning(done.error().text());
  }
  return all;
}

}  // namespace

Result<int> system_start(Workshop& shop, Words /*words*/) {
  DAVIT_TRY_ASSIGN(const auto of_apps, units_of_apps(shop));
  DAVIT_TRY_ASSIGN(const bool started, shop.supervisor().ensure_tree_holding(of_apps));
  shop.out().step(started ? "Started the supervision tree" : "The supervision tree runs");
  // A proxy that does not come up, or a plugin that cannot be loaded, keeps no app down.
  const auto plugins = start_plugins(shop);
  start_services(shop);
  DAVIT_TRY(shop.supervisor().release_held());
  const std::vector<std::string> all{"--all"};
  const auto recovered = recover(shop, all);
  const auto told = warn_of_missing(shop);
  DAVIT_TRY(plugins);
  DAVIT_TRY(told);
  return recovered;
}

Result<int> system_stop(Workshop& shop, Words /*words*/) {
  AppLocks locks;  // kept until all is down: a deployment that went on would start the tree anew
  for (int round = 0; round < kStopRounds; ++round) {
    const auto halted = halt_deployments(shop, locks);
    if (!halted) shop.out().warning(halted.error().text());
    DAVIT_TRY(shop.supervisor().stop_tree(kStopDeadlineMs));
    if (!halted || !*halted) break;  // else an app that had no deployment may have begun one
  }
  // What plugins did in system.start beyond units, such as a firewall's table, goes with the system.
  // Nothing runs any more, so what fails here is said and does not make the stop a failure.
  const auto bus = shop.bus();
  const Event event{event_id::kSystemStart, std::monostate{}, {}};
  if (!bus) shop.out().warning(bus.error().text());
  for (Hook* hook : bus ? (*bus)->steps(event.id) : std::vector<Hook*>{}) {
    const auto undone = hook->undo(event, "", shop.context());
    if (!undone) shop.out().warning(undone.error().text());
  }
  shop.out().step("Everything is stopped; davit system:start brings it back");
  return 0;
}

// "collect [--dry-run]": lines of JSON for the front to show: {"kind", "app", "name", "why", "bytes"}, or
// {"failed"}.
Result<int> collect(Workshop& shop, Words words) {
  const bool dry_run = std::ranges::find(words, "--dry-run") != words.end();
  DAVIT_TRY_ASSIGN(const LifecycleServices services, shop.lifecycle());
  DAVIT_TRY_ASSIGN(const Collected collected, collect_garbage(services, dry_run, shop.context()));
  for (const Garbage& item : collected.items) {
    const nlohmann::json row{{"kind", item.kind},
                             {"app", item.app},
                             {"name", item.name},
                             {"why", item.why},
                             {"bytes", item.bytes}};
    shop.out().result(row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  }
  for (const std::string& app : collected.skipped)
    shop.out().warning(fmt::format("{} is being worked on and was left alone", app));
  for (const std::string& failure : collected.failures)
    shop.out().result(
        nlohmann::json{{"failed", failure}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
        "\n");
  return 0;
}

// Lines of "key TAB value", for the report of the proxy's group.
Result<int> describe_proxy(Workshop& shop, Words /*words*/) {
  DAVIT_TRY_ASSIGN(PluginHost * plugins, shop.plugins());
  DAVIT_TRY_ASSIGN(Proxy * proxy, plugins->proxy());
  if (proxy == nullptr) return 0;
  DAVIT_TRY_ASSIGN(const TextMap facts, proxy->describe(shop.context()));
  for (const auto& [key, value] : facts) shop.out().result(fmt::format("{}\t{}\n", key, value));
  return 0;
}

}  // namespace davit
