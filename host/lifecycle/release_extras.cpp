// What a release keeps as JSON.
#include "lifecycle/release_extras.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace davit {
namespace {

using nlohmann::json;

// Written here, but the database may be older, or mended by hand: a value of another kind is as none.
template <typename T>
T member(const json& object, const char* name, T otherwise) {
  if (!object.is_object()) return otherwise;
  const auto it = object.find(name);
  if (it == object.end()) return otherwise;
  if constexpr (std::is_same_v<T, std::string>) {
    return it->is_string() ? it->get<std::string>() : otherwise;
  } else if constexpr (std::is_same_v<T, json>) {
    return it->is_object() ? *it : otherwise;
  } else {
    return it->is_number_unsigned() ? it->get<T>() : otherwise;
  }
}

json to_json(const ManifestFormation& formation) {
  json object = json::object();
  for (const auto& [type, entry] : formation) {
    json one = json::object();
    if (entry.quantity) one["quantity"] = *entry.quantity;
    if (entry.max_parallel != 0) one["max_parallel"] = entry.max_parallel;
    object[type] = std::move(one);
  }
  return object;
}

json to_json(const DeployScripts& scripts) {
  json object = json::object();
  if (!scripts.predeploy.empty()) object["predeploy"] = scripts.predeploy;
  if (!scripts.postdeploy.empty()) object["postdeploy"] = scripts.postdeploy;
  if (!scripts.first_postdeploy.empty()) object["first_postdeploy"] = scripts.first_postdeploy;
  return object;
}

}  // namespace

bool ReleaseExtras::fixes_formation() const {
  return std::ranges::any_of(formation, [](const auto& item) { return item.second.quantity.has_value(); });
}

std::string extras_to_json(const ReleaseExtras& extras) {
  json object = json::object();
  if (!extras.config_defaults.empty()) object["config_defaults"] = extras.config_defaults;
  if (!extras.formation.empty()) object["formation"] = to_json(extras.formation);
  if (extras.scripts != DeployScripts{}) object["scripts"] = to_json(extras.scripts);
  if (!extras.built_stack.empty())
    object["built"] = {{"runtime", extras.built_runtime}, {"stack", extras.built_stack}};
  if (object.empty()) return {};
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

ReleaseExtras extras_of(const ReleaseSpec& spec) {
  ReleaseExtras extras;
  if (spec.processes.empty()) return extras;
  const json object = json::parse(spec.processes.front().extras_json, nullptr, false);
  const json defaults = member(object, "config_defaults", json::object());
  for (const auto& [key, value] : defaults.items()) {
    if (value.is_string()) extras.config_defaults[key] = value.get<std::string>();
  }
  const json formation = member(object, "formation", json::object());
  for (const auto& [type, entry] : formation.items()) {
    FormationEntry& one = extras.formation[type];
    if (entry.is_object() && entry.contains("quantity")) one.quantity = member(entry, "quantity", 0U);
    one.max_parallel = member(entry, "max_parallel", 0U);
  }
  const json scripts = member(object, "scripts", json::object());
  extras.scripts = {member(scripts, "predeploy", std::string()), member(scripts, "postdeploy", std::string()),
                    member(scripts, "first_postdeploy", std::string())};
  const json built = member(object, "built", json::object());
  extras.built_runtime = member(built, "runtime", std::string());
  extras.built_stack = member(built, "stack", std::string());
  return extras;
}

Result<ConfigMap> config_over_defaults(Store& store, AppId app, const ReleaseSpec& spec) {
  ConfigMap config;
  for (const auto& [key, value] : extras_of(spec).config_defaults) config.emplace(key, Secret(value));
  DAVIT_TRY_ASSIGN(const ConfigMap now, store.config().merged(app));
  for (const auto& [key, value] : now) config.insert_or_assign(key, value);
  return config;
}

Result<bool> formation_is_fixed(Store& store, AppId app) {
  DAVIT_TRY_ASSIGN(const auto release, store.releases().current(app));
  return release && extras_of(release->spec).fixes_formation();
}

Quantities manifest_quantities(const ReleaseSpec& spec) {
  Quantities quantities;
  const ReleaseExtras extras = extras_of(spec);
  if (!extras.fixes_formation()) return quantities;
  for (const ReleaseProcess& process : spec.processes) {
    const auto entry = extras.formation.find(process.type);
    quantities[process.type] = entry == extras.formation.end() ? 0 : entry->second.quantity.value_or(0);
  }
  return quantities;
}

}  // namespace davit
