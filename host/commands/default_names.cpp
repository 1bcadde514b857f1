// See default_names.hpp.
#include "commands/default_names.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/ids.hpp"
#include "lifecycle/routes.hpp"

namespace davit {

Result<> refuse_default_names(Store& store, const App& app, const std::vector<std::string>& domains) {
  DAVIT_TRY_ASSIGN(const auto globals, store.domains().list(AppId::kGlobal));
  for (const std::string& domain : domains) {
    std::vector<std::string> owners{domain};  // an app with a dot in its name is its own host name
    for (const std::string& global : globals) {
      if (domain.ends_with("." + global))
        owners.push_back(domain.substr(0, domain.size() - global.size() - 1));
    }
    for (const std::string& name : owners) {
      if (name == app.name || !check_app_name(name)) continue;
      DAVIT_TRY_ASSIGN(const bool there, store.apps().exists(name));
      if (!there) continue;
      DAVIT_TRY_ASSIGN(const App other, store.apps().get(name));
      DAVIT_TRY_ASSIGN(const auto hosts, hosts_of(store, other));
      if (std::ranges::find(hosts, domain) == hosts.end()) continue;
      return fail(Code::kConflict, fmt::format("Domain {} is already used by app {}", domain, other.name),
                  "It is the default name of that app", "domain-taken");
    }
  }
  return {};
}

Result<> refuse_taken(Store& store, const App& app, const std::vector<std::string>& hosts) {
  for (const std::string& host : hosts) {
    DAVIT_TRY_ASSIGN(const auto owner, store.domains().owner_of(host));
    if (!owner || owner->app == app.id) continue;
    return fail(
        Code::kConflict,
        fmt::format("{} is a domain of {}, and would be the default name of {}", host, owner->app_name,
                    app.name),
        fmt::format("Take it from {0}: davit domains:remove {0} {1}; or give {2} another name first: davit "
                    "domains:set {2} NAME",
                    owner->app_name, host, app.name),
        "domain-taken");
  }
  return {};
}

Result<> refuse_taken(Store& store, const std::vector<std::string>& globals) {
  DAVIT_TRY_ASSIGN(const auto apps, store.apps().list());
  for (const App& app : apps) {
    DAVIT_TRY_ASSIGN(auto hosts, hosts_of(store, app));
    std::erase_if(hosts, [&](const std::string& host) {
      return std::ranges::none_of(globals,
                                  [&](const auto& global) { return host == app.name + "." + global; });
    });
    DAVIT_TRY(refuse_taken(store, app, hosts));
  }
  return {};
}

Result<> refuse_to_return(Store& store, const App& app, const std::vector<std::string>& removed) {
  DAVIT_TRY_ASSIGN(const auto hosts, hosts_of(store, app));
  for (const std::string& domain : removed) {
    if (std::ranges::find(hosts, domain) == hosts.end()) continue;
    return fail(Code::kInvalid, fmt::format("{} is {}'s default name, and it has no other", domain, app.name),
                "Give it another with domains:set, or take all names away with domains:disable",
                "default-domain");
  }
  return {};
}

}  // namespace davit
