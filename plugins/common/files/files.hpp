// Small files and folders of a plugin's own state, written so that a crash leaves the old or the new content,
// never half. What cannot be done is an sdk::Failure that names path and reason: unavailable disk-full, or
// failed file-not-written. Not for what an app's developer may have planted.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace davit::files {

/// A file in the same folder, synced, renamed; then the folder is synced.
void write_file(const std::filesystem::path& path, const std::string& text, unsigned mode = 0644);

/// Nothing if there is no such file.
std::optional<std::string> read_file(const std::filesystem::path& path);

/// No error if it is not there. The folder is synced.
void remove_file(const std::filesystem::path& path);

/// Like mkdir -p; `mode` for the last one. Existing folders keep their mode.
void make_dirs(const std::filesystem::path& path, unsigned mode = 0755);

/// Sorted; none if there is no such folder.
std::vector<std::string> names_in(const std::filesystem::path& folder);

/// When it was written last, in ns since 1970; 0 if there is no such file.
std::int64_t modified_ns(const std::filesystem::path& path);

/// Closes it at the end of its scope; -1 is none.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

/// An exclusive lock on a file, held as long as the object lives. Waits for whoever has it.
class FileLock {
 public:
  explicit FileLock(const std::filesystem::path& path);
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  Descriptor file_;
};

}  // namespace davit::files
