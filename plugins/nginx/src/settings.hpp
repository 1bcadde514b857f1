// Reads what the operator and the app's owner have set, through the host, into the engine's values.
#pragma once

#include <string>
#include <vector>

#include "davit/host.hpp"
#include "davit/proxy.hpp"
#include "engine.hpp"
#include "model.hpp"

namespace davit::nginx {

struct PluginSettings {
  Settings engine;
  std::string system_include;  // mode = system: the file by which the system's nginx includes ours
  std::string system_config;   // mode = system: the main file of the system's nginx
  std::vector<std::string> reload_command;  // mode = system
  std::string home;                         // set if workers have a user, and so folders, of their own
};

// Settings of plugins.toml, resolved for this machine: nginx's modules, IPv6, root or not.
PluginSettings read_settings(const sdk::Host& host, const sdk::Call& call);

// Properties, certificate and own files of one app.
AppInputs read_inputs(const sdk::Host& host, const sdk::Call& call, const Settings& settings,
                      const std::string& app);

// What is set for the app itself ("": for all) and is not used: a sentence, and what to do.
sdk::Pairs unused_values(const sdk::Host& host, const sdk::Call& call, const std::string& app);

// The route with its instances' addresses looked up. Throws if a name has none.
Route route_from(const sdk::Route& route);

// davit.proxy/1 describe().
sdk::Pairs describe_settings(const Settings& settings);

}  // namespace davit::nginx
