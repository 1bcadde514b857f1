// See network_commands.hpp; the names, flags and summaries are in plugin.toml.
#include "network_commands.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "names.hpp"
#include "networks.hpp"

namespace davit::docker_plugin {
namespace {

bool wants_json(const sdk::Command& command) {
  return command.flag("format").value_or("text") == "json";
}

}  // namespace

std::int32_t NetworkCommands::run(const sdk::Command& command) {
  if (command.name == "network:create") return create(command);
  if (command.name == "network:destroy") return destroy(command);
  if (command.name == "network:exists") return exists(command);
  if (command.name == "network:info") return info(command);
  if (command.name == "network:list") return list(command);
  throw sdk::Failure(DAVIT_NOT_FOUND, "command-unknown",
                     fmt::format("{} is not a command of docker", command.name));
}

bool NetworkCommands::find(const std::string& name, Json& found) const {
  check_network_name(name);
  return Networks(base_).find(name, found, patience(call_));
}

std::int32_t NetworkCommands::create(const sdk::Command& command) {
  const std::string name = command.arg(0);
  Json found;
  if (find(name, found))
    call_.fail(DAVIT_CONFLICT, "network-exists", "Network already exists", "See network:list");
  Networks(base_).create(
      call_,
      {{"Name", name},
       {"CheckDuplicate", true},
       {"Driver", "bridge"},
       {"Attachable", true},
       {"Labels",
        {{kLabelHome, base_.config.home_id}, {kLabelHomePath, base_.config.home}, {kLabelKind, kUserKind}}}});
  call_.step(fmt::format("Created network {}", name));
  return 0;
}

// Only what network:create of this home has made: a stranger's may have the name.
std::int32_t NetworkCommands::destroy(const sdk::Command& command) {
  const std::string name = command.arg(0);
  Json found;
  if (!find(name, found))
    call_.fail(DAVIT_NOT_FOUND, "network-missing", "Network does not exist", "See network:list");
  if (!Networks(base_).is_made_by_user(found)) {
    call_.fail(DAVIT_DENIED, "network-foreign",
               fmt::format("The network {} was not made by network:create", name),
               "davit removes only what it has made");
  }
  for (const std::string& app : base_.host.apps(call_).names()) {
    if (const auto setting = setting_that_joins(base_.host, call_, app, name)) {
      call_.fail(
          DAVIT_CONFLICT, "network-in-use",
          fmt::format("{} joins {}{}", app, name, setting->is_global ? ", by what is set for all" : ""),
          "Take it away first: " + setting->without_it(app));
    }
  }
  try {
    base_.engine.remove("/networks/" + name, {}, patience(call_));
  } catch (const EngineFailure& failure) {
    if (failure.http_status() != 403 && failure.http_status() != 409) throw;
    call_.fail(DAVIT_CONFLICT, "network-in-use", fmt::format("Containers are still on the network {}", name),
               "Restart the apps that were on it: they leave it with their next start");
  }
  call_.step(fmt::format("Destroyed network {}", name));
  return 0;
}

std::int32_t NetworkCommands::exists(const sdk::Command& command) {
  Json found;
  if (!find(command.arg(0), found))
    call_.fail(DAVIT_NOT_FOUND, "network-missing", "Network does not exist", "");
  call_.step("Network exists");
  return 0;
}

std::int32_t NetworkCommands::info(const sdk::Command& command) {
  const std::string name = command.arg(0);
  Json found;
  if (!find(name, found))
    call_.fail(DAVIT_NOT_FOUND, "network-missing", "Network does not exist", "See network:list");
  if (!Networks(base_).is_for_apps(found)) {
    call_.fail(DAVIT_DENIED, "network-foreign",
               fmt::format("The network {} was not made by network:create", name),
               "davit shows only what apps may join: see network:list");
  }
  Json containers = Json::array();
  for (const auto& [id, container] : object_in(found, "Containers").items())
    containers.push_back(text_in(container, "Name"));
  const Json facts = {{"name", text_in(found, "Name")},
                      {"id", text_in(found, "Id")},
                      {"driver", text_in(found, "Driver")},
                      {"scope", text_in(found, "Scope")},
                      {"davit", Networks(base_).is_made_by_user(found)},
                      {"containers", containers}};
  if (wants_json(command)) {
    call_.result_line(facts.dump());
    return 0;
  }
  if (!call_.quiet()) call_.header(fmt::format("{} network information", name));
  for (const auto& [key, value] : facts.items())
    call_.result_line(fmt::format("       {:<30} {}", key + ":",
                                  value.is_string() ? value.get<std::string>() : value.dump()));
  return 0;
}

std::int32_t NetworkCommands::list(const sdk::Command& command) {
  const std::string filter = label_filter(
      {fmt::format("{}={}", kLabelHome, base_.config.home_id), fmt::format("{}={}", kLabelKind, kUserKind)});
  sdk::Strings names;
  for (const Json& network : base_.engine.get("/networks", {{"filters", filter}}, patience(call_)))
    names.push_back(text_in(network, "Name"));
  std::ranges::sort(names);
  if (wants_json(command)) {
    call_.result_line(Json(names).dump());
    return 0;
  }
  if (!call_.quiet()) call_.header("Networks");
  for (const std::string& name : names) call_.result_line(name);
  return 0;
}

}  // namespace davit::docker_plugin
