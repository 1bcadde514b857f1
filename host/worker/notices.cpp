// Plugins' own commands, events that a command publishes, and what plugins know of their health.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "lifecycle/missing.hpp"
#include "process/files.hpp"
#include "service/keeper.hpp"
#include "worker/operations.hpp"

namespace davit {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxPayloadBytes = 64 * 1024 * 1024;

Result<json> payload_of(const std::string& word) {
  std::string text = word;
  if (word.starts_with('@')) {
    DAVIT_TRY_ASSIGN(text, read_file(word.substr(1), kMaxPayloadBytes));
  }
  json payload = json::parse(text, nullptr, false);
  if (!payload.is_object()) return fail(Code::kInternal, "The payload of an event is no JSON object");
  return payload;
}

ConfigEvent config_event(const json& payload) {
  ConfigEvent event;
  event.app = payload.value("app", std::string());
  event.is_global = payload.value("global", false);
  const json set = payload.value("set", json::object());
  for (const auto& [key, value] : set.items()) {
    event.set.emplace_back(key, Secret(value.is_string() ? value.get<std::string>() : value.dump()));
  }
  event.unset = payload.value("unset", std::vector<std::string>{});
  return event;
}

AppEvent app_event(const json& payload) {
  return {payload.value("app", std::string()), payload.value("source_app", std::string()),
          payload.value("is_rename", false)};
}

PropertyEvent property_event(const json& payload) {
  return {payload.value("app", std::string()), payload.value("group", std::string()),
          payload.value("key", std::string()), payload.value("is_set", true),
          payload.value("value", std::string())};
}

AuthEvent auth_event(const json& payload) {
  return {payload.value("actor", std::string()), payload.value("command", std::string()),
          payload.value("app", std::string())};
}

// A step outside a deployment has no journal: what was applied is undone here when a later one fails.
Result<> run_steps(Workshop& shop, EventBus& bus, const Event& event) {
  std::vector<std::pair<Hook*, std::string>> applied;
  for (Hook* hook : bus.steps(event.id)) {
    auto token = hook->prepare(event, shop.context());
    Result<> done = token ? Result<>{} : Result<>(fail(token.error()));
    if (token) {
      applied.emplace_back(hook, *token);
      done = hook->apply(event, *token, shop.context());
    }
    if (done) continue;
    for (auto it = applied.rbegin(); it != applied.rend(); ++it) {
      if (auto undone = it->first->undo(event, it->second, shop.context()); !undone) {
        shop.out().warning(undone.error().text());
      }
    }
    return done;
  }
  return {};
}

Result<> deliver(Workshop& shop, EventBus& bus, const Event& event) {
  switch (kind_of(event.id)) {
    case EventKind::kGate:
      return bus.ask(event, shop.context());
    case EventKind::kFilter:
      return bus.filter(event, shop.context());
    case EventKind::kStep:
      return run_steps(shop, bus, event);
    case EventKind::kNotice:
      bus.tell(event, shop.context());
      return {};
  }
  return {};
}

}  // namespace

Result<int> plugin_command(Workshop& shop, Words words) {
  if (words.empty()) return fail(Code::kInternal, "command takes the name of a command");
  PluginCommandCall call;
  call.name = words[0];
  call.args.assign(words.begin() + 1, words.end());
  DAVIT_TRY_ASSIGN(PluginHost * plugins, shop.plugins());
  DAVIT_TRY(shop.bus());
  const auto command = plugins->catalog().command(call.name);
  if (command && command->spec->app && !call.args.empty()) {
    DAVIT_TRY_ASSIGN(Store * store, shop.store());
    DAVIT_TRY_ASSIGN(const App app, store->apps().get(call.args.front()));
    shop.context().app = app.name;
  }
  DAVIT_TRY_ASSIGN(const int code, plugins->run_command(call, shop.context()));
  DAVIT_TRY(shop.reroute_requested());
  return code;
}

Result<int> publish(Workshop& shop, Words words) {
  if (words.size() != 2) return fail(Code::kInternal, "publish takes an event and its payload");
  DAVIT_TRY_ASSIGN(const json payload, payload_of(words[1]));
  DAVIT_TRY_ASSIGN(EventBus * bus, shop.bus());
  shop.context().app = payload.value("app", std::string());
  AuthEvent auth = auth_event(payload);
  AppEvent app = app_event(payload);
  ConfigEvent config = config_event(payload);
  PropertyEvent property = property_event(payload);
  Event event{words[0], std::monostate{}, {}};
  if (words[0] == event_id::kAuthorize) event.payload = &auth;
  if (words[0].starts_with("app.")) event.payload = &app;
  if (words[0].starts_with("config.")) event.payload = &config;
  if (words[0].starts_with("property.")) event.payload = &property;
  DAVIT_TRY(deliver(shop, *bus, event));
  DAVIT_TRY(shop.reroute_requested());
  return 0;
}

namespace {

// A service that should run, and does not.
std::vector<Finding> service_findings(Workshop& shop) {
  std::vector<Finding> findings;
  auto world = shop.services();
  if (!world) return findings;
  const ServiceKeeper keeper(std::move(*world));
  const auto services = keeper.world().store.services().list("");
  for (const Service& service : services ? *services : std::vector<Service>{}) {
    const std::string name = service.kind + " " + service.name;
    const std::string hint =
        fmt::format("See davit {0}:logs {1}, then: davit {0}:start {1}", service.kind, service.name);
    if (service.generation == 0) {
      findings.push_back(
          {Finding::Level::kWarning, name + " is half created", "Create it again, or: davit system:start"});
      continue;
    }
    if (service.state != ServiceState::kRunning) continue;
    const auto instances = keeper.current(service).inspect(shop.context());
    const bool up = instances && !instances->empty() && instances->front().state == InstanceState::kUp;
    findings.push_back(up ? Finding{Finding::Level::kOk, name + " runs", {}}
                          : Finding{Finding::Level::kProblem, name + " should run, and does not", hint});
  }
  return findings;
}

// An app's instance that should be there, and is not.
std::vector<Finding> instance_findings(Workshop& shop) {
  std::vector<Finding> findings;
  const auto services = shop.lifecycle();
  if (!services) return findings;
  const auto missing = missing_instances(*services, shop.context());
  if (!missing) return {{Finding::Level::kProblem, missing.error().text(), missing.error().hint}};
  for (const MissingInstances& of_app : *missing)
    findings.push_back({Finding::Level::kProblem, of_app.text(), of_app.hint()});
  return findings;
}

void show_finding(Workshop& shop, std::string_view plugin, const Finding& finding) {
  constexpr std::string_view kLevels[] = {"ok", "warning", "problem"};
  const json row{{"plugin", plugin},
                 {"level", kLevels[static_cast<std::size_t>(finding.level)]},
                 {"what", finding.what},
                 {"hint", finding.hint}};
  shop.out().result(row.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
}

}  // namespace

Result<int> examine(Workshop& shop, Words /*words*/) {
  DAVIT_TRY_ASSIGN(PluginHost * plugins, shop.plugins(/*tolerant=*/true));
  DAVIT_TRY_ASSIGN(const auto doctors, plugins->doctors());
  for (Doctor* doctor : doctors) {
    auto findings = doctor->examine(shop.context());
    if (!findings)
      findings =
          std::vector<Finding>{{Finding::Level::kProblem, findings.error().text(), findings.error().hint}};
    for (const Finding& finding : *findings) show_finding(shop, doctor->id(), finding);
  }
  for (const Finding& finding : instance_findings(shop)) show_finding(shop, "host", finding);
  for (const Finding& finding : service_findings(shop)) show_finding(shop, "services", finding);
  return 0;
}

}  // namespace davit
