// Small files written so that a crash leaves the old or the new content, never half. Throws sdk::Failure.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace davit::nginx {

// Temp file in the same directory, fsync, rename, fsync of the directory.
void write_file(const std::filesystem::path& path, const std::string& text, unsigned mode = 0644);

// Nothing if there is no such file.
std::optional<std::string> read_file(const std::filesystem::path& path);

// No error if it is not there. The directory is synced.
void remove_file(const std::filesystem::path& path);

// Like mkdir -p; `mode` for the last one. Existing directories keep their mode.
void make_dirs(const std::filesystem::path& path, unsigned mode = 0755);

// An exclusive lock on a file, held as long as the object lives. Waits for whoever has it.
class FileLock {
 public:
  explicit FileLock(const std::filesystem::path& path);
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

 private:
  int fd_;
};

}  // namespace davit::nginx
