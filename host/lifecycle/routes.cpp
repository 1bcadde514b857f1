// Which hosts lead to an app.
#include "lifecycle/routes.hpp"

namespace davit {

Result<std::vector<std::string>> hosts_of(Store& store, const App& app) {
  DAVIT_TRY_ASSIGN(const bool enabled, store.domains().enabled(app.id));
  if (!enabled) return std::vector<std::string>{};
  DAVIT_TRY_ASSIGN(auto own, store.domains().list(app.id));
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

}  // namespace davit
