// Apps.
#include "store/apps.hpp"

#include <fmt/format.h>

#include "base/ids.hpp"
#include "store/database.hpp"

namespace davit {
namespace {

// The columns of read_app(). A live release is found by its partial index.
#define DAVIT_APP_COLUMNS                                                                      \
  "SELECT id, name, created_at_ms, locked_at_ms, "                                             \
  "EXISTS (SELECT 1 FROM releases WHERE releases.app = apps.id AND releases.state = 'live'), " \
  "coalesce(next_name, '') FROM apps "

App read_app(Row row) {
  return App{AppId{row.integer(0)},   row.text(1),         row.integer(2),
             row.optional_integer(3), row.integer(4) != 0, row.text(5)};
}

// A write that met no row: the app is gone. Row 0, the global scope, is no app.
Result<> require_one(Result<std::int64_t> changed) {
  if (!changed) return fail(std::move(changed).error());
  if (*changed == 0) return fail(Code::kNotFound, "The app does not exist (any more)", {}, "app-not-found");
  return {};
}

}  // namespace

Error name_taken() {
  return {Code::kConflict,
          "Name is already taken",
          "Choose another name, or see: davit apps:list",
          "name-taken",
          {}};
}

Error app_not_found(std::string_view name) {
  return {Code::kNotFound,
          fmt::format("App {} does not exist", name),
          "See: davit apps:list",
          "app-not-found",
          {}};
}

Result<App> Apps::create(std::string_view name) {
  DAVIT_TRY(check_app_name(name));
  const UnixMs now_ms = clock_.now_unix_ms();
  auto inserted = database_.run(
      "INSERT INTO apps (name, created_at_ms) SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM apps WHERE "
      "next_name = ?1)",
      name, now_ms);
  if (!inserted && inserted.error().slug == kSlugUnique) return fail(name_taken());
  if (!inserted) return fail(std::move(inserted).error());
  if (*inserted == 0) return fail(name_taken());  // kept for an app that is being renamed
  return App{AppId{database_.last_insert_id()}, std::string(name), now_ms, std::nullopt, false};
}

Result<App> Apps::get(std::string_view name) {
  DAVIT_TRY_ASSIGN(auto app, database_.first(DAVIT_APP_COLUMNS "WHERE name = ?1 AND id > 0", read_app, name));
  if (!app) return fail(app_not_found(name));
  return std::move(*app);
}

Result<App> Apps::get_by_any_name(std::string_view name) {
  DAVIT_TRY_ASSIGN(
      auto app,
      database_.first(DAVIT_APP_COLUMNS "WHERE (name = ?1 OR next_name = ?1) AND id > 0", read_app, name));
  if (!app) return fail(app_not_found(name));
  return std::move(*app);
}

Result<App> Apps::get(AppId app) {
  DAVIT_TRY_ASSIGN(auto found, database_.first(DAVIT_APP_COLUMNS "WHERE id = ?1 AND id > 0", read_app, app));
  if (!found) return fail(Code::kNotFound, "The app does not exist (any more)", {}, "app-not-found");
  return std::move(*found);
}

Result<bool> Apps::exists(std::string_view name) {
  DAVIT_TRY_ASSIGN(const auto found, database_.first(
                                         "SELECT 1 FROM apps WHERE name = ?1 AND id > 0",
                                         [](Row row) { return row.integer(0); }, name));
  return found.has_value();
}

Result<std::vector<std::string>> Apps::names() {
  // Answered from the index of names alone; > '' leaves the global row out.
  return database_.collect("SELECT name FROM apps WHERE name > '' ORDER BY name",
                           [](Row row) { return row.text(0); });
}

Result<std::vector<App>> Apps::list() {
  return database_.collect(DAVIT_APP_COLUMNS "WHERE name > '' ORDER BY name", read_app);
}

Result<> Apps::rename(AppId app, std::string_view new_name) {
  DAVIT_TRY(check_app_name(new_name));
  return database_.transaction([&]() -> Result<> {
    DAVIT_TRY(reserve_name(app, std::string(new_name)));
    DAVIT_TRY(database_.run(
        "UPDATE releases SET artifact_ref = 'slugs/' || ?2 || substr(artifact_ref, length(old.name) + 7) "
        "FROM (SELECT name FROM apps WHERE id = ?1) AS old WHERE app = ?1 AND artifact_kind = 'slug'",
        app, new_name));
    DAVIT_TRY(database_.run("UPDATE deployments SET app_name = ?2 WHERE app = ?1", app, new_name));
    // A default name that became the app's own when others were added follows it, unless somebody has the new
    // one.
    DAVIT_TRY(
        database_.run("UPDATE OR IGNORE domains SET domain = ?2 || '.' || made.ending FROM (SELECT name || "
                      "'.' || domain AS domain, "
                      "domain AS ending FROM domains JOIN apps ON apps.id = ?1 WHERE scope = 0) AS made "
                      "WHERE scope = ?1 AND domains.domain = made.domain",
                      app, new_name));
    auto changed =
        database_.run("UPDATE apps SET name = ?2, next_name = name WHERE id = ?1 AND id > 0", app, new_name);
    if (!changed && changed.error().slug == kSlugUnique) return fail(name_taken());
    return require_one(std::move(changed));
  });
}

Result<> Apps::reserve_name(AppId app, const std::optional<std::string>& name) {
  if (!name)
    return require_one(database_.run("UPDATE apps SET next_name = NULL WHERE id = ?1 AND id > 0", app));
  DAVIT_TRY(check_app_name(*name));
  return database_.transaction([&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const auto holder, database_.first(
                                            "SELECT 1 FROM apps WHERE name = ?2 AND id <> ?1",
                                            [](Row row) { return row.integer(0); }, app, *name));
    if (holder) return fail(name_taken());
    auto changed = database_.run("UPDATE apps SET next_name = ?2 WHERE id = ?1 AND id > 0", app, *name);
    if (!changed && changed.error().slug == kSlugUnique) return fail(name_taken());
    return require_one(std::move(changed));
  });
}

Result<> Apps::copy_settings(AppId from, AppId to) {
  return database_.transaction([&]() -> Result<> {
    for (const char* sql :
         {"INSERT OR REPLACE INTO config SELECT ?2, key, value FROM config WHERE scope = ?1",
          "INSERT OR REPLACE INTO properties SELECT ?2, grp, key, value FROM properties WHERE scope = ?1 "
          "AND NOT (grp = 'ps' AND key = 'stopped') AND grp <> 'health'",
          "INSERT OR REPLACE INTO list_items SELECT ?2, grp, key, position, value FROM list_items WHERE "
          "scope = ?1",
          "INSERT OR REPLACE INTO formation SELECT ?2, process_type, quantity FROM formation WHERE app = ?1",
          "INSERT OR REPLACE INTO plugin_kv SELECT plugin, ?2, key, value FROM plugin_kv WHERE scope = ?1",
          "UPDATE apps SET domains_enabled = (SELECT domains_enabled FROM apps WHERE id = ?1) WHERE id = "
          "?2"}) {
      DAVIT_TRY(database_.run(sql, from, to));
    }
    return {};
  });
}

Result<> Apps::destroy(AppId app) {
  return require_one(database_.run("DELETE FROM apps WHERE id = ?1 AND id > 0", app));
}

Result<> Apps::lock(AppId app) {
  return require_one(
      database_.run("UPDATE apps SET locked_at_ms = coalesce(locked_at_ms, ?2) WHERE id = ?1 AND id > 0", app,
                    clock_.now_unix_ms()));
}

Result<> Apps::unlock(AppId app) {
  return require_one(database_.run("UPDATE apps SET locked_at_ms = NULL WHERE id = ?1 AND id > 0", app));
}

}  // namespace davit
