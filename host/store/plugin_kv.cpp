// Plugins' own key-values.
#include "store/plugin_kv.hpp"

#include <fmt/format.h>

#include "store/database.hpp"

namespace davit {
namespace {

constexpr std::size_t kMaxKeyBytes = 512;
constexpr std::size_t kMaxValueBytes = 16UL * 1024 * 1024;

Result<> check_key(std::string_view key) {
  if (!key.empty() && key.size() <= kMaxKeyBytes && key.find('\0') == std::string_view::npos) return {};
  return fail(Code::kInvalid, "The key of a plugin's value is not valid",
              fmt::format("Use 1 to {} bytes without NUL", kMaxKeyBytes), "kv-key-invalid");
}

Result<> check_value(std::string_view value) {
  if (value.size() <= kMaxValueBytes) return {};
  return fail(
      Code::kInvalid, fmt::format("A plugin's value of {} bytes is too large", value.size()),
      fmt::format("Keep at most {} bytes under a key; larger things belong into files", kMaxValueBytes),
      "kv-value-too-large");
}

// The smallest text beyond all that begin with `prefix`; "" when there is none.
std::string end_of_prefix(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xFF') end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

}  // namespace

Result<std::optional<std::string>> PluginKv::get(std::string_view plugin, AppId scope, std::string_view key) {
  return database_.first(
      "SELECT value FROM plugin_kv WHERE plugin = ?1 AND scope = ?2 AND key = ?3",
      [](Row row) { return row.text(0); }, plugin, scope, key);
}

Result<> PluginKv::set(std::string_view plugin, AppId scope, std::string_view key, std::string_view value) {
  DAVIT_TRY(check_key(key));
  DAVIT_TRY(check_value(value));
  DAVIT_TRY(
      database_.run("INSERT INTO plugin_kv (plugin, scope, key, value) VALUES (?1, ?2, ?3, ?4) "
                    "ON CONFLICT DO UPDATE SET value = excluded.value",
                    plugin, scope, key, Blob{value}));
  return {};
}

Result<bool> PluginKv::remove(std::string_view plugin, AppId scope, std::string_view key) {
  DAVIT_TRY_ASSIGN(const auto removed,
                   database_.run("DELETE FROM plugin_kv WHERE plugin = ?1 AND scope = ?2 AND key = ?3",
                                 plugin, scope, key));
  return removed > 0;
}

Result<std::map<std::string, std::string>> PluginKv::list(std::string_view plugin, AppId scope,
                                                          std::string_view prefix) {
  std::map<std::string, std::string> values;
  const auto add = [&](Row row) { values.emplace(row.text(0), row.text(1)); };
  const std::string end = end_of_prefix(prefix);
  if (end.empty()) {
    DAVIT_TRY(
        database_.each("SELECT key, value FROM plugin_kv WHERE plugin = ?1 AND scope = ?2 AND key >= ?3", add,
                       plugin, scope, prefix));
  } else {
    DAVIT_TRY(database_.each(
        "SELECT key, value FROM plugin_kv WHERE plugin = ?1 AND scope = ?2 AND key >= ?3 AND key < ?4", add,
        plugin, scope, prefix, end));
  }
  return values;
}

Result<bool> PluginKv::compare_and_swap(std::string_view plugin, AppId scope, std::string_view key,
                                        const std::optional<std::string>& expected,
                                        const std::optional<std::string>& desired) {
  return database_.transaction([&]() -> Result<bool> {
    DAVIT_TRY_ASSIGN(const auto value, get(plugin, scope, key));
    if (value != expected) return false;
    if (desired) {
      DAVIT_TRY(set(plugin, scope, key, *desired));
    } else {
      DAVIT_TRY(remove(plugin, scope, key));
    }
    return true;
  });
}

}  // namespace davit
