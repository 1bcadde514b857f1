// The rows of links: which app uses which service, under which name.
#include <fmt/format.h>

#include "store/database.hpp"
#include "store/services.hpp"

namespace davit {
namespace {

#define DAVIT_LINK_COLUMNS                                                                         \
  "SELECT l.app, l.service, l.alias, l.querystring, l.host_style, apps.name, s.kind, s.name FROM " \
  "service_links l JOIN apps ON apps.id = l.app JOIN services s ON s.id = l.service "

ServiceLink read_link(Row row) {
  ServiceLink link;
  link.app = AppId{row.integer(0)};
  link.service = ServiceId{row.integer(1)};
  link.alias = row.text(2);
  link.querystring = row.text(3);
  link.host_style = row.integer(4) != 0;
  link.app_name = row.text(5);
  link.kind = row.text(6);
  link.service_name = row.text(7);
  return link;
}

}  // namespace

Result<> Services::link(const NewLink& link) {
  return database_.transaction([&]() -> Result<> {
    // Under the write lock: it may have been destroyed since our caller looked.
    DAVIT_TRY_ASSIGN(const Service service, get(link.service));
    if (service.destroyed_at_ms) return fail(service_not_found(service.kind, service.name));
    DAVIT_TRY_ASSIGN(const auto links, links_of_app(link.app));
    for (const ServiceLink& other : links) {
      if (other.service == link.service) {
        return fail(Code::kConflict, fmt::format("Already linked as {}_URL", other.alias),
                    fmt::format("See: davit {}:links {}", other.kind, other.service_name), "already-linked");
      }
      if (other.alias == link.alias) {
        return fail(Code::kConflict,
                    fmt::format("{}_URL is the link to {} {}", other.alias, other.kind, other.service_name),
                    "Give another --alias", "alias-taken");
      }
    }
    DAVIT_TRY(database_.run(
        "INSERT INTO service_links (app, service, alias, querystring, host_style, created_at_ms) VALUES (?1, "
        "?2, ?3, "
        "?4, ?5, ?6)",
        link.app, link.service, link.alias, link.querystring, link.host_style ? 1 : 0, clock_.now_unix_ms()));
    return {};
  });
}

Result<> Services::assign_links(AppId app, const std::vector<NewLink>& links) {
  return database_.transaction([&]() -> Result<> {
    DAVIT_TRY(database_.run("DELETE FROM service_links WHERE app = ?1", app));
    for (const NewLink& one : links) DAVIT_TRY(link(one));
    return {};
  });
}

Result<std::vector<ServiceLink>> Services::links_of_app(AppId app) {
  return database_.collect(DAVIT_LINK_COLUMNS "WHERE l.app = ?1 ORDER BY l.alias", read_link, app);
}

Result<std::vector<ServiceLink>> Services::links_of_service(ServiceId service) {
  return database_.collect(DAVIT_LINK_COLUMNS "WHERE l.service = ?1 ORDER BY apps.name", read_link, service);
}

Result<std::vector<ServiceLink>> Services::links_of_kind(std::string_view kind) {
  return database_.collect(DAVIT_LINK_COLUMNS "WHERE s.kind = ?1 ORDER BY apps.name", read_link, kind);
}

}  // namespace davit
