// Domains.
#include "store/domains.hpp"

#include <fmt/format.h>

#include "base/ids.hpp"
#include "store/database.hpp"

namespace davit {
namespace {

DomainOwner read_owner(Row row) {
  return {AppId{row.integer(0)}, row.text(1), row.text(2)};
}

Error domain_taken(const DomainOwner& owner) {
  return {Code::kConflict,
          fmt::format("Domain {} is already used by app {}", owner.domain, owner.app_name),
          fmt::format("Take it away first: davit domains:remove {} {}", owner.app_name, owner.domain),
          "domain-taken",
          {}};
}

}  // namespace

Result<std::vector<std::string>> Domains::list(AppId scope) {
  return database_.collect(
      "SELECT domain FROM domains WHERE scope = ?1 ORDER BY position", [](Row row) { return row.text(0); },
      scope);
}

Result<> Domains::add(AppId scope, const std::vector<std::string>& domains) {
  for (const auto& domain : domains) DAVIT_TRY(check_domain(domain));
  return database_.transaction([&]() -> Result<> {
    for (const auto& domain : domains) {
      if (scope != AppId::kGlobal) {
        DAVIT_TRY_ASSIGN(const auto owner, owner_of(domain));
        if (owner && owner->app != scope) return fail(domain_taken(*owner));
      }
      DAVIT_TRY(database_.run(
          "INSERT INTO domains (scope, domain, position) VALUES (?1, ?2, "
          "(SELECT coalesce(max(position), 0) + 1 FROM domains WHERE scope = ?1)) ON CONFLICT DO NOTHING",
          scope, domain));
    }
    return {};
  });
}

Result<> Domains::remove(AppId scope, const std::vector<std::string>& domains) {
  return database_.transaction([&]() -> Result<> {
    for (const auto& domain : domains) {
      DAVIT_TRY_ASSIGN(const auto removed,
                       database_.run("DELETE FROM domains WHERE scope = ?1 AND domain = ?2", scope, domain));
      if (removed > 0) continue;
      return fail(Code::kNotFound, fmt::format("Domain {} is not set", domain), "See: davit domains:report",
                  "domain-not-found");
    }
    return {};
  });
}

Result<> Domains::assign(AppId scope, const std::vector<std::string>& domains) {
  return database_.transaction([&]() -> Result<> {
    DAVIT_TRY(clear(scope));
    return add(scope, domains);
  });
}

Result<> Domains::clear(AppId scope) {
  DAVIT_TRY(database_.run("DELETE FROM domains WHERE scope = ?1", scope));
  return {};
}

Result<bool> Domains::enabled(AppId app) {
  DAVIT_TRY_ASSIGN(const auto enabled, database_.first(
                                           "SELECT domains_enabled FROM apps WHERE id = ?1",
                                           [](Row row) { return row.integer(0) != 0; }, app));
  return enabled.value_or(true);
}

Result<> Domains::set_enabled(AppId app, bool enabled) {
  DAVIT_TRY_ASSIGN(const auto changed,
                   database_.run("UPDATE apps SET domains_enabled = ?2 WHERE id = ?1", app, enabled));
  if (changed == 0) return fail(Code::kNotFound, "The app does not exist (any more)", {}, "app-not-found");
  return {};
}

Result<std::optional<DomainOwner>> Domains::owner_of(std::string_view domain) {
  return database_.first(
      "SELECT scope, apps.name, domain FROM domains JOIN apps ON apps.id = scope "
      "WHERE domain = ?1 AND scope <> 0",
      read_owner, domain);
}

}  // namespace davit
