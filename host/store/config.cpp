// Config.
#include "store/config.hpp"

#include <fmt/format.h>

#include "base/ids.hpp"
#include "store/database.hpp"

namespace davit {
namespace {

Result<> check(const ConfigMap& values) {
  for (const auto& [key, value] : values) {
    DAVIT_TRY(check_config_key(key));
    if (value.reveal().find('\0') == std::string::npos) continue;
    return fail(Code::kInvalid, fmt::format("The value of {} contains a NUL byte", key),
                "An environment variable cannot hold one: encode the value, for example with base64",
                "config-value-nul");
  }
  return {};
}

Result<> write(Database& database, AppId scope, const ConfigMap& values) {
  for (const auto& [key, value] : values) {
    DAVIT_TRY(
        database.run("INSERT INTO config (scope, key, value) VALUES (?1, ?2, ?3) "
                     "ON CONFLICT DO UPDATE SET value = excluded.value",
                     scope, key, Blob{value.reveal()}));
  }
  return {};
}

}  // namespace

Result<std::optional<Secret>> Config::get(AppId scope, std::string_view key) {
  return database_.first(
      "SELECT value FROM config WHERE scope = ?1 AND key = ?2", [](Row row) { return Secret(row.text(0)); },
      scope, key);
}

Result<ConfigMap> Config::all(AppId scope) {
  ConfigMap values;
  DAVIT_TRY(database_.each(
      "SELECT key, value FROM config WHERE scope = ?1",
      [&](Row row) { values.insert_or_assign(row.text(0), Secret(row.text(1))); }, scope));
  return values;
}

Result<ConfigMap> Config::merged(AppId app) {
  ConfigMap values;
  // Scope 0, the global one, first: the app's values replace it.
  DAVIT_TRY(database_.each(
      "SELECT key, value FROM config WHERE scope IN (?1, 0) ORDER BY scope",
      [&](Row row) { values.insert_or_assign(row.text(0), Secret(row.text(1))); }, app));
  return values;
}

Result<> Config::set_many(AppId scope, const ConfigMap& values) {
  DAVIT_TRY(check(values));
  return database_.transaction([&] { return write(database_, scope, values); });
}

Result<std::size_t> Config::unset_many(AppId scope, const std::vector<std::string>& keys) {
  return database_.transaction([&]() -> Result<std::size_t> {
    std::int64_t removed = 0;
    for (const auto& key : keys) {
      DAVIT_TRY_ASSIGN(const auto changed,
                       database_.run("DELETE FROM config WHERE scope = ?1 AND key = ?2", scope, key));
      removed += changed;
    }
    return static_cast<std::size_t>(removed);
  });
}

Result<> Config::replace(AppId scope, const ConfigMap& values) {
  DAVIT_TRY(check(values));
  return database_.transaction([&]() -> Result<> {
    DAVIT_TRY(clear(scope));
    return write(database_, scope, values);
  });
}

Result<> Config::clear(AppId scope) {
  DAVIT_TRY(database_.run("DELETE FROM config WHERE scope = ?1", scope));
  return {};
}

}  // namespace davit
