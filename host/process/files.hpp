// Files written so that a crash leaves the old or the new content, and trees removed so that a symlink leads
// nowhere. Not a file system library: only what the host does more than once.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace davit {

/// Temp file in the same folder, fsync, rename, fsync of the folder. `mode` is exact (umask does not matter).
Result<> write_file_atomic(const std::filesystem::path& path, std::string_view bytes, mode_t mode);
/// The same without the two fsyncs: for files that may be lost at a power cut (run/).
Result<> write_file_volatile(const std::filesystem::path& path, std::string_view bytes, mode_t mode);
/// The whole file; larger than `max_bytes`: kInvalid. Does not follow a symlink at the end.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t max_bytes = 16 * 1024 * 1024);
/// The same for a file that a person named: follows symlinks, and takes a pipe too.
Result<std::string> read_named_file(const std::filesystem::path& path, std::size_t max_bytes);
/// Makes one folder with exactly `mode`. Existing: fine if it is a real folder (its mode is set), else
/// kConflict.
Result<> make_dir(const std::filesystem::path& path, mode_t mode);
/// The same with missing parents (they get `mode` too; existing parents are left alone).
Result<> make_dirs(const std::filesystem::path& path, mode_t mode);
/// Removes a file, symlink or tree. Never follows a symlink and never leaves the tree, whatever happens to it
/// meanwhile (openat). Folders without write permission are opened up first; they may be nested to any
/// depth. Nothing there: success.
Result<> remove_tree(const std::filesystem::path& path);

}  // namespace davit
