// SlugStore: slugs/APP/DIGEST.tar.zst. Immutable files, found by what is in them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/paths.hpp"
#include "base/result.hpp"
#include "store/releases.hpp"

namespace davit {

/// Hex SHA-256 of a file.
Result<std::string> sha256_of_file(const std::filesystem::path& file);

/// Moves a built slug to its place (same file system: a rename; synced). A slug that is there already is
/// kept. The ref is relative to the home.
Result<Artifact> store_slug(const Home& home, std::string_view app, const std::filesystem::path& built);

/// Deletes slug files of the app that no release needs. `needed`: refs. Returns how many went.
Result<std::size_t> sweep_slugs(const Home& home, std::string_view app,
                                const std::vector<std::string>& needed);

}  // namespace davit
