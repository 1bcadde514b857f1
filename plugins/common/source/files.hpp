// Files and trees on the host that others may have written: everything here works on names as they are and
// follows no symbolic link.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <functional>
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

/// Looks at each file and folder that is copied, when it is open already; throws if it may not be.
using Look = std::function<void(const struct stat& facts)>;

/// Copies a tree: regular files with their modes, folders (also empty ones), symbolic links as they are.
/// Everything named .git is left out at the top, other kinds of files everywhere. Others may change it
/// meanwhile: what is copied is in the folder that `from` is open on, and was looked at.
/// @throws sdk::Failure tree-unusable, disk-full.
void copy_tree(int from, const std::filesystem::path& to, const Look& look = {});
void copy_tree(const std::filesystem::path& from, const std::filesystem::path& to);
/// One regular file.
void copy_open_file(int from, const std::filesystem::path& to, const Look& look = {});

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
/// The same of one file or folder, whatever is above and below.
bool readable_by_all(const struct stat& facts);
/// The same of the folders above `real`, which has no links.
bool reachable_by_all(const std::filesystem::path& real);

/// True if nobody but us and root can put anything else in the place of `real`, which has no links.
bool changed_by_us_only(const std::filesystem::path& real);

/// `folder` itself is, too. Both without links.
bool is_below(const std::filesystem::path& path, const std::filesystem::path& folder);

/// "12 MiB", "3.4 GiB".
std::string human_bytes(std::uint64_t bytes);

}  // namespace davit::source
