// Folders brought to the disk: what is named in them, or all that is in them.
#pragma once

#include <filesystem>

#include "base/result.hpp"

namespace davit {

/// Follows no symlink. What disappears meanwhile is not missed; whether what is added meanwhile is synced is
/// open. Threads: any.
Result<> sync_tree(const std::filesystem::path& folder);
/// Which files are in it, not what is in them.
Result<> sync_folder(const std::filesystem::path& folder);

}  // namespace davit
