// Routes: which hosts lead to an app. Names come from the app's own domains, or from the global ones as
// APP.DOMAIN.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "lifecycle/services.hpp"

namespace davit {

/// The app's hosts: none when its domains are disabled.
Result<std::vector<std::string>> hosts_of(Store& store, const App& app);

/// The same for an app whose own domains were these.
Result<std::vector<std::string>> hosts_of(Store& store, const App& app, const std::vector<std::string>& own);

/// The endpoints of instances, in order of their numbers.
std::vector<Endpoint> endpoints_of(const std::vector<Instance>& instances);

/// Computes and applies the routes of an app that runs, outside a deployment of the user's (a proxy's
/// settings changed). Nothing for an app without live web instances. What was there comes back on failure.
Result<> reroute_app(const LifecycleServices& services, std::string_view app, const CallContext& call);

/// The same of many: one that fails is named in a warning, and keeps the others from nothing. Whether none
/// did.
bool reroute_apps(const LifecycleServices& services, std::span<const std::string> apps,
                  const CallContext& call);

}  // namespace davit
