// Routes: which hosts lead to an app. Names come from the app's own domains, or from the global ones as
// APP.DOMAIN.
#pragma once

#include <string>
#include <vector>

#include "lifecycle/services.hpp"

namespace davit {

/// The app's hosts: none when its domains are disabled.
Result<std::vector<std::string>> hosts_of(Store& store, const App& app);

/// The endpoints of instances, in order of their numbers.
std::vector<Endpoint> endpoints_of(const std::vector<Instance>& instances);

}  // namespace davit
