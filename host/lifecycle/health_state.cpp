// The record of the health watch.
#include "lifecycle/health_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace davit {
namespace {

using nlohmann::json;

constexpr std::string_view kGroup = "health";
constexpr std::string_view kKey = "state";

}  // namespace

std::string short_name(const Instance& instance) {
  return fmt::format("{}.{}", instance.process_type, instance.number);
}

HealthState read_health(Store& store, AppId app, std::string_view revision) {
  HealthState state{std::string(revision), {}};
  const auto text = store.properties().get(app, kGroup, kKey);
  if (!text || !*text) return state;
  const json object = json::parse(**text, nullptr, false);
  if (!object.is_object() || object.value("revision", json()) != json(revision)) return state;
  const auto instances = object.find("instances");
  if (instances == object.end() || !instances->is_object()) return state;
  try {
    for (const auto& [name, one] : instances->items()) {
      state.instances[name] = {one.value("ready", true), one.value("restarting", false),
                               one.value("restarts", 0U), one.value("since_ms", UnixMs{0}),
                               one.value("problem", std::string())};
    }
  } catch (const json::exception&) {  // written by another version, or by hand
    state.instances.clear();
  }
  return state;
}

Result<> write_health(Store& store, AppId app, const HealthState& state) {
  json instances = json::object();
  for (const auto& [name, one] : state.instances) {
    instances[name] = {{"ready", one.ready},
                       {"restarting", one.restarting},
                       {"restarts", one.restarts},
                       {"since_ms", one.since_ms},
                       {"problem", one.problem}};
  }
  const json object{{"revision", state.revision}, {"instances", instances}};
  return store.properties().set(app, kGroup, kKey,
                                object.dump(-1, ' ', false, json::error_handler_t::replace));
}

Result<> forget_health(Store& store, AppId app) {
  DAVIT_TRY(store.properties().unset(app, kGroup, kKey));
  return {};
}

std::vector<Instance> routable(const HealthState& state, std::vector<Instance> instances) {
  std::vector<Instance> ready;
  std::ranges::copy_if(instances, std::back_inserter(ready), [&](const Instance& instance) {
    const auto it = state.instances.find(short_name(instance));
    return it == state.instances.end() || it->second.ready;
  });
  return ready.empty() ? instances : ready;
}

}  // namespace davit
