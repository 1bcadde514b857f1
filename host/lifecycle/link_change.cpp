// Changes of links, as JSON and in the store.
#include "lifecycle/link_change.hpp"

#include <nlohmann/json.hpp>

namespace davit {

using nlohmann::json;

Result<std::vector<NewLink>> links_now(Store& store, AppId app) {
  DAVIT_TRY_ASSIGN(const auto links, store.services().links_of_app(app));
  return std::vector<NewLink>(links.begin(), links.end());
}

std::string to_json(const LinkChange& change) {
  json links = json::array();
  for (const NewLink& link : change.links) {
    links.push_back({{"service", static_cast<std::int64_t>(link.service)},
                     {"alias", link.alias},
                     {"querystring", link.querystring},
                     {"host_style", link.host_style}});
  }
  const json object{{"all", links}, {"moved_from", change.moved_from}, {"moved_to", change.moved_to}};
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<LinkChange> link_change_of(const json& request, AppId app) {
  const auto it = request.find("links");
  if (it == request.end() || !it->is_object()) return std::nullopt;
  LinkChange change;
  for (const json& link : it->value("all", json::array())) {
    change.links.push_back({app, ServiceId{link.value("service", std::int64_t{0})}, link.value("alias", ""),
                            link.value("querystring", ""), link.value("host_style", false)});
  }
  change.moved_from = it->value("moved_from", "");
  change.moved_to = it->value("moved_to", "");
  return change;
}

void move_variable(ConfigMap& config, const LinkChange& change) {
  auto variable = config.extract(change.moved_from);
  if (variable.empty()) return;
  variable.key() = change.moved_to;
  config.insert(std::move(variable));
}

Result<> record_links(Store& store, AppId app, const LinkChange& change) {
  DAVIT_TRY(store.services().assign_links(app, change.links));
  if (change.moved_from.empty()) return {};
  DAVIT_TRY_ASSIGN(ConfigMap config, store.config().all(app));
  move_variable(config, change);
  return store.config().replace(app, config);
}

}  // namespace davit
