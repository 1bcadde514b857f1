// What runs.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "worker/instance_line.hpp"
#include "worker/operations.hpp"

namespace davit {
namespace {

using nlohmann::json;

json endpoints_json(const Instance& instance) {
  json list = json::array();
  for (const Endpoint& endpoint : instance.endpoints) {
    list.push_back(endpoint.kind == Endpoint::Kind::kUnix
                       ? endpoint.path
                       : fmt::format("{}:{}", endpoint.host, endpoint.port));
  }
  return list;
}

}  // namespace

std::string instance_line(std::string_view app, const Instance& instance, std::uint32_t release_version,
                          std::string_view runtime, std::string_view role) {
  const json row{{"app", app},
                 {"id", instance.id},
                 {"type", instance.process_type},
                 {"number", instance.number},
                 {"revision", instance.revision},
                 {"release", release_version},
                 {"role", role},
                 {"runtime", runtime},
                 {"state", name_of(instance.state)},
                 {"pid", instance.pid},
                 {"since", iso8601_utc(instance.since_unix_ms)},
                 {"exits", instance.exits},
                 {"exit_code", instance.exit_code < 0 ? json() : json(instance.exit_code)},
                 {"endpoints", endpoints_json(instance)}};
  return row.dump();
}

Result<int> list_instances(Workshop& shop, Words words) {
  DAVIT_TRY_ASSIGN(Store * store, shop.store());
  DAVIT_TRY_ASSIGN(PluginHost * plugins, shop.plugins());
  for (const std::string& name : words) {
    DAVIT_TRY_ASSIGN(const App app, store->apps().get(name));
    DAVIT_TRY_ASSIGN(const auto groups, store->live_groups().of_app(app.id));
    for (const LiveGroup& group : groups) {
      DAVIT_TRY_ASSIGN(Runtime * runtime, plugins->runtime(group.runtime));
      DAVIT_TRY_ASSIGN(const auto instances,
                       runtime->inspect({OwnerKind::kApp, group.owner, group.revision, group.process_type, 0},
                                        shop.context()));
      for (const Instance& instance : instances) {
        shop.out().result(
            instance_line(name, instance, group.release_version, group.runtime, name_of(group.state)) + "\n");
      }
    }
  }
  return 0;
}

}  // namespace davit
