// The template plugin, copied with its name put in.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace davit {

/// Copies `source_folder` to `target` (which must not exist, or be empty) with every @NAME@ in a file
/// replaced by `id`. Invalid id: check_plugin_id(). Conflict: the target has something in it.
Result<> new_plugin(const std::filesystem::path& source_folder, const std::filesystem::path& target,
                    const std::string& id);

}  // namespace davit
