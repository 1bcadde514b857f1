// Files and trees on the host that others may have written: everything here works on names as they are and
// follows no symbolic link.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "davit/text.hpp"

namespace davit::source {

/// The bytes of a regular file; nullopt if there is none. A symbolic link is refused unless it stays inside
/// `tree` (empty: all links are refused).
/// @throws sdk::Failure file-unusable for links out of the tree, other kinds, and files above `limit_bytes`.
std::optional<std::string> read_small_file(const std::filesystem::path& file, std::uint64_t limit_bytes,
                                           const std::filesystem::path& tree = {});

/// Writes ENV_DIR: a file of mode 0600 for each variable, exact bytes; `dir` is made, mode 0700. Names that
/// could not be file names are left out.
void write_env_dir(const std::filesystem::path& dir, const sdk::Pairs& env);

/// Copies a tree: regular files with their modes, folders (also empty ones), symbolic links as they are.
/// Everything named .git is left out at the top, other kinds of files everywhere.
/// @throws sdk::Failure tree-unusable.
void copy_tree(const std::filesystem::path& from, const std::filesystem::path& to);

struct TreeSize {
  std::uint64_t bytes = 0;  ///< of regular files
  std::uint64_t files = 0;  ///< entries of any kind
  std::string special;      ///< the first socket, pipe or device found, relative to the tree; empty: none
};
/// @throws sdk::Failure tree-unusable.
TreeSize measure_tree(const std::filesystem::path& tree);

/// True if everybody on the machine may read `path`: each folder above it may be searched by others, and it
/// and what is below may be read by others. What may be read by everybody may be named by every app
/// developer.
bool readable_by_all(const std::filesystem::path& path);

/// "12 MiB", "3.4 GiB".
std::string human_bytes(std::uint64_t bytes);

}  // namespace davit::source
