// Properties.
#include "store/properties.hpp"

#include <charconv>

#include "store/database.hpp"

namespace davit {
namespace {

std::string read_text(Row row) {
  return row.text(0);
}

Property read_property(Row row) {
  return {AppId{row.integer(0)}, row.text(1), row.text(2), row.text(3)};
}

}  // namespace

Result<std::optional<std::string>> Properties::get(AppId scope, std::string_view group,
                                                   std::string_view key) {
  return database_.first("SELECT value FROM properties WHERE scope = ?1 AND grp = ?2 AND key = ?3", read_text,
                         scope, group, key);
}

Result<std::optional<std::string>> Properties::effective(AppId app, std::string_view group,
                                                         std::string_view key) {
  // The global scope is 0, so the app's own row, if there is one, comes first.
  return database_.first(
      "SELECT value FROM properties WHERE scope IN (?1, 0) AND grp = ?2 AND key = ?3 ORDER BY scope DESC "
      "LIMIT 1",
      read_text, app, group, key);
}

std::uint64_t Properties::number(AppId app, std::string_view group, std::string_view key,
                                 std::uint64_t otherwise) {
  const auto value = effective(app, group, key);
  if (!value || !*value) return otherwise;
  const std::string& text = **value;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? number : otherwise;
}

Result<> Properties::set(AppId scope, std::string_view group, std::string_view key, std::string_view value) {
  DAVIT_TRY(
      database_.run("INSERT INTO properties (scope, grp, key, value) VALUES (?1, ?2, ?3, ?4) "
                    "ON CONFLICT DO UPDATE SET value = excluded.value",
                    scope, group, key, value));
  return {};
}

Result<bool> Properties::unset(AppId scope, std::string_view group, std::string_view key) {
  DAVIT_TRY_ASSIGN(
      const auto removed,
      database_.run("DELETE FROM properties WHERE scope = ?1 AND grp = ?2 AND key = ?3", scope, group, key));
  return removed > 0;
}

Result<PropertyMap> Properties::group(AppId scope, std::string_view group) {
  PropertyMap values;
  DAVIT_TRY(database_.each(
      "SELECT key, value FROM properties WHERE scope = ?1 AND grp = ?2",
      [&](Row row) { values.insert_or_assign(row.text(0), row.text(1)); }, scope, group));
  return values;
}

Result<std::vector<Property>> Properties::list(AppId scope) {
  return database_.collect("SELECT scope, grp, key, value FROM properties WHERE scope = ?1 ORDER BY grp, key",
                           read_property, scope);
}

Result<std::vector<Property>> Properties::everywhere(std::string_view group, std::string_view key) {
  return database_.collect(
      "SELECT scope, grp, key, value FROM properties WHERE grp = ?1 AND key = ?2 ORDER BY scope",
      read_property, group, key);
}

}  // namespace davit
