// Files and trees on the host that hold other people's content: made, given to a user, removed, without ever
// following a link that they planted. Failures are sdk::Failure (unavailable) that name path and reason.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace davit::process_plugin {

/// A folder with exactly `mode`; its parent exists. Existing: its mode is set.
void make_folder(const std::string& path, unsigned mode);
/// Absolute path. Temp file, fsync and rename: after a power loss it is the old file or the new one. Mode
/// 0644 or as given.
void write_file(const std::string& path, std::string_view bytes, unsigned mode = 0644);
/// nullopt if there is none.
std::optional<std::string> read_file(const std::string& path);
/// Removes a file, symlink or tree; nothing there is fine. Other file systems mounted inside are not entered.
void remove_tree(const std::string& path);
/// Names in a folder, sorted, without "." and ".."; none if there is no folder.
std::vector<std::string> names_in(const std::string& path);

/// Everything in the tree that does not belong to uid and gid yet. A file with several names is left alone
/// unless `linked_too`: its other name may be outside.
void give_tree(const std::string& path, std::uint32_t uid, std::uint32_t gid, bool linked_too);

/// Owns a file lock until it goes out of scope; the file stays.
class FileLock {
 public:
  /// Waits if `wait`; else the lock may not be held().
  FileLock(const std::string& path, bool wait);
  FileLock(FileLock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();
  [[nodiscard]] bool held() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

}  // namespace davit::process_plugin
