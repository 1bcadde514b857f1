// Where on this machine things are that plugins want to know of (`places` of a setting, see davit/note.h).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "plugin/catalog.hpp"

namespace davit {

/// The first of a setting's places that is there. Looks at the environment and the file system.
std::optional<std::string> found_place(const SettingSpec& setting);

/// Of the plugin `id`, and of enabled ones that look in the same places: writes what is found into
/// plugins.toml for settings without a value there. Later commands have not the environment of this one.
Result<> write_found_places(const std::filesystem::path& plugins_toml, const PluginCatalog& catalog,
                            std::string_view id);

}  // namespace davit
