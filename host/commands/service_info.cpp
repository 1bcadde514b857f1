// What is known of services: from the store, and for `info` from the runtime.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.hpp"
#include "cli/json.hpp"
#include "cli/layout.hpp"
#include "commands/services.hpp"
#include "lifecycle/link_variables.hpp"

namespace davit {
namespace {

std::vector<std::string> apps_of(const std::vector<ServiceLink>& links) {
  std::vector<std::string> apps;
  for (const ServiceLink& link : links) apps.push_back(link.app_name);
  return apps;
}

void show_names(const ServiceCall& call, const std::string& header, const std::vector<std::string>& names) {
  if (call.args.json()) return call.session.out().result(json_texts(names) + "\n");
  call.session.out().header(header);
  for (const std::string& name : names) call.session.out().result(name + "\n");
}

std::string title(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

Result<App> app_argument(const ServiceCall& call, std::size_t index) {
  DAVIT_TRY_ASSIGN(Store * store, call.session.reading());
  return store->apps().get(call.args.args[index]);
}

struct Facts {
  Service service;
  std::vector<ServiceLink> links;
  std::vector<ServiceGeneration> generations;
  std::map<std::string, std::string> live;  // of the runtime: state, pid, container_id
  std::string data_dir, root;
};

Result<Facts> facts_of(const ServiceCall& call) {
  Facts facts;
  DAVIT_TRY_ASSIGN(facts.service, call.service());
  DAVIT_TRY_ASSIGN(Store * store, call.session.reading());
  DAVIT_TRY_ASSIGN(facts.links, store->services().links_of_service(facts.service.id));
  DAVIT_TRY_ASSIGN(facts.generations, store->services().generations(facts.service.id));
  DAVIT_TRY_ASSIGN(const std::string live,
                   call.session.work_captured({"service-read", "inspect", call.kind, facts.service.name}));
  DAVIT_TRY_ASSIGN(facts.live, read_json_object(trim(live)));
  const auto root = call.session.home().services() / call.kind /
                    std::to_string(static_cast<std::int64_t>(facts.service.id));
  facts.root = root.string();
  facts.data_dir = (root / fmt::format("g{}", facts.service.generation) / "data").string();
  return facts;
}

std::string info_json(const Facts& facts) {
  const Service& service = facts.service;
  const auto live = [&](const char* key) {
    const auto found = facts.live.find(key);
    return found == facts.live.end() ? std::string() : found->second;
  };
  std::vector<std::string> generations;
  for (const ServiceGeneration& one : facts.generations) {
    generations.push_back(JsonObject()
                              .number("number", one.number)
                              .text("version", shown_version(one.version))
                              .text("made_by", one.made_by)
                              .text("made_at", iso8601_utc(one.made_at_ms))
                              .boolean("serves", one.number == service.generation)
                              .str());
  }
  return JsonObject()
      .text("name", service.name)
      .text("kind", service.kind)
      .text("state", live("state"))
      .text("version", shown_version(service.version))
      .text("dsn", service_url(service))
      .text("data_dir", facts.data_dir)
      .raw("pid", live("pid"))
      .text("container_id", live("container_id"))
      .raw("linked_apps", json_texts(apps_of(facts.links)))
      .text("wanted_state", name_of(service.state))
      .text("runtime", service.runtime)
      .text("host", kServiceHost)
      .number("port", service.port)
      .number("exposed_port", service.exposed_port)
      .raw("ssl", live("ssl"))
      .text("created_at", iso8601_utc(service.created_at_ms))
      .raw("generations", json_array(generations))
      .str();
}

Report info_report(const Facts& facts) {
  const Service& service = facts.service;
  Report report(service.kind + " service", service.name);
  std::vector<std::string> generations;
  for (const ServiceGeneration& one : facts.generations) {
    generations.push_back(fmt::format("g{}{}", one.number, one.number == service.generation ? "*" : ""));
  }
  report.add("created-at", iso8601_utc(service.created_at_ms));
  report.add("data-dir", facts.data_dir);
  report.add("dsn", service_url(service));
  report.add("exposed-ports", service.exposed_port == 0 ? "-" : std::to_string(service.exposed_port));
  report.add("generations", join(generations, " "));
  report.add("id", std::to_string(static_cast<std::int64_t>(service.id)));
  report.add("internal-ip", std::string(kServiceHost));
  report.add("links", facts.links.empty() ? "-" : join(apps_of(facts.links), " "));
  report.add("pid", facts.live.at("pid"));
  report.add("port", std::to_string(service.port));
  report.add("runtime", service.runtime);
  report.add("service-root", facts.root);
  report.add("ssl", facts.live.at("ssl"));
  report.add("status", facts.live.at("state"));
  report.add("version", fmt::format("{} {}", service.kind, shown_version(service.version)));
  return report;
}

Result<int> list_trash(const ServiceCall& call, Store& store) {
  DAVIT_TRY_ASSIGN(const auto trash, store.services().trash(call.kind));
  std::vector<std::string> objects;
  std::vector<std::vector<std::string>> rows;
  for (const Service& service : trash) {
    const std::string when = iso8601_utc(*service.destroyed_at_ms);
    objects.push_back(JsonObject().text("name", service.name).text("destroyed_at", when).str());
    rows.push_back({service.name, when});
  }
  if (call.args.json()) {
    call.session.out().result(json_array(objects) + "\n");
    return 0;
  }
  call.session.out().header(fmt::format("{} services in the trash", title(call.kind)));
  call.session.out().result(columns(rows));
  return 0;
}

}  // namespace

Result<int> service_list(const ServiceCall& call) {
  DAVIT_TRY_ASSIGN(Store * store, call.session.reading());
  if (call.args.has("trash")) return list_trash(call, *store);
  if (!call.args.json()) {
    DAVIT_TRY_ASSIGN(const auto names, store->services().names(call.kind));
    show_names(call, fmt::format("{} services", title(call.kind)), names);
    return 0;
  }
  DAVIT_TRY_ASSIGN(const auto services, store->services().list(call.kind));
  DAVIT_TRY_ASSIGN(const auto links, store->services().links_of_kind(call.kind));
  std::map<ServiceId, std::vector<std::string>> apps;
  for (const ServiceLink& link : links) apps[link.service].push_back(link.app_name);
  std::vector<std::string> objects;
  for (const Service& service : services) {
    objects.push_back(JsonObject()
                          .text("name", service.name)
                          .text("kind", service.kind)
                          .text("version", shown_version(service.version))
                          .text("wanted_state", name_of(service.state))
                          .text("runtime", service.runtime)
                          .raw("linked_apps", json_texts(apps[service.id]))
                          .str());
  }
  call.session.out().result(json_array(objects) + "\n");
  return 0;
}

Result<int> service_exists(const ServiceCall& call) {
  DAVIT_TRY(call.service());
  return 0;
}

Result<int> service_info(const ServiceCall& call) {
  DAVIT_TRY_ASSIGN(const Facts facts, facts_of(call));
  if (call.args.json()) {
    call.session.out().result(info_json(facts) + "\n");
    return 0;
  }
  const Report report = info_report(facts);
  if (!call.args.report_key.empty()) {
    DAVIT_TRY_ASSIGN(const std::string value, report.value(call.args.report_key));
    call.session.out().result(value + "\n");
    return 0;
  }
  call.session.out().header(report.header());
  call.session.out().result(report.text());
  return 0;
}

Result<int> service_links(const ServiceCall& call) {
  DAVIT_TRY_ASSIGN(const Service service, call.service());
  DAVIT_TRY_ASSIGN(Store * store, call.session.reading());
  DAVIT_TRY_ASSIGN(const auto links, store->services().links_of_service(service.id));
  show_names(call, fmt::format("{} {} service links", service.name, call.kind), apps_of(links));
  return 0;
}

Result<int> service_linked(const ServiceCall& call) {
  DAVIT_TRY_ASSIGN(const Service service, call.service());
  DAVIT_TRY_ASSIGN(const App app, app_argument(call, 1));
  DAVIT_TRY_ASSIGN(Store * store, call.session.reading());
  DAVIT_TRY_ASSIGN(const auto links, store->services().links_of_app(app.id));
  for (const ServiceLink& link : links) {
    if (link.service == service.id) return 0;
  }
  return fail(Code::kNotFound, fmt::format("Service {} is not linked to app {}", service.name, app.name));
}

Result<int> service_app_links(const ServiceCall& call) {
  DAVIT_TRY_ASSIGN(const App app, app_argument(call, 0));
  DAVIT_TRY_ASSIGN(Store * store, call.session.reading());
  DAVIT_TRY_ASSIGN(const auto links, store->services().links_of_app(app.id));
  std::vector<std::string> names;
  for (const ServiceLink& link : links) {
    if (link.kind == call.kind) names.push_back(link.service_name);
  }
  std::ranges::sort(names);
  show_names(call, fmt::format("{} {} service links", app.name, call.kind), names);
  return 0;
}

}  // namespace davit
