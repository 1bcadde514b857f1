// The commands of data services, KIND:VERB: the same for every kind that an enabled plugin provides. Which
// kinds there are is in the plugins' notes; nothing is loaded for help or to find a command.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "commands/session.hpp"

namespace davit {

/// Of service:link and the like: what the handler works on.
struct ServiceCall {
  Session& session;
  std::string kind;
  const Arguments& args;

  /// The first argument: `Please specify a valid name for the service`, or `service S does not exist`.
  Result<Service> service() const;
  [[nodiscard]] std::string command(std::string_view verb) const { return kind + ":" + std::string(verb); }
  /// `davit-worker service VERB KIND NAME ...`.
  Result<int> work(std::string_view verb, const std::string& name,
                   const std::vector<std::string>& more = {}) const;
};

struct ServiceVerb {
  CliCommand spec;  ///< its name is the verb
  Result<int> (*run)(const ServiceCall& call);
};

/// Sorted by verb.
std::span<const ServiceVerb> service_verbs();

/// Ids of plugins that provide services, sorted.
std::vector<std::string> service_kinds(const PluginCatalog& catalog);

struct ServiceCommand {
  std::string kind;
  const ServiceVerb* verb = nullptr;
};
/// nullopt: no kind of service has such a command.
std::optional<ServiceCommand> find_service_command(const PluginCatalog& catalog, std::string_view name);

// service_info.cpp
Result<int> service_list(const ServiceCall& call);
Result<int> service_exists(const ServiceCall& call);
Result<int> service_info(const ServiceCall& call);
Result<int> service_links(const ServiceCall& call);
Result<int> service_linked(const ServiceCall& call);
Result<int> service_app_links(const ServiceCall& call);
// service_links.cpp
Result<int> service_link(const ServiceCall& call);
Result<int> service_unlink(const ServiceCall& call);
Result<int> service_promote(const ServiceCall& call);

}  // namespace davit
