// See setting_places.hpp.
#include "commands/setting_places.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "plugin/plugins_toml.hpp"

namespace davit {

namespace fs = std::filesystem;

std::optional<std::string> found_place(const SettingSpec& setting) {
  constexpr std::string_view kScheme = "unix://";
  for (const std::string& place : setting.places) {
    std::string path = place;
    if (place.front() == '$') {
      const std::size_t slash = std::min(place.find('/'), place.size());
      const char* value = std::getenv(place.substr(1, slash - 1).c_str());
      if (value == nullptr) continue;
      path = value + place.substr(slash);
    }
    if (path.starts_with(kScheme)) path.erase(0, kScheme.size());
    std::error_code error;
    if (path.starts_with('/') && fs::exists(path, error)) return path;
  }
  return std::nullopt;
}

Result<> write_found_places(const fs::path& plugins_toml, const PluginCatalog& catalog, std::string_view id) {
  DAVIT_TRY_ASSIGN(const PluginsToml file, read_plugins_toml(plugins_toml));
  const CatalogEntry* enabled = catalog.find(id);
  const auto is_looked_for = [&](const SettingSpec& setting) {
    return enabled != nullptr && std::ranges::any_of(enabled->note.settings, [&](const SettingSpec& other) {
             return other.places == setting.places;
           });
  };
  for (const PluginSection& section : file.plugins) {
    const CatalogEntry* entry = section.enabled ? catalog.find(section.id) : nullptr;
    if (entry == nullptr) continue;
    for (const SettingSpec& setting : entry->note.settings) {
      const bool is_given = std::ranges::any_of(
          section.settings, [&](const auto& given) { return given.first == setting.key; });
      if (is_given || setting.places.empty() || !is_looked_for(setting)) continue;
      if (const auto place = found_place(setting))
        DAVIT_TRY(set_plugins_toml_value(plugins_toml, section.id, setting.key, toml_quote(*place)));
    }
  }
  return {};
}

}  // namespace davit
