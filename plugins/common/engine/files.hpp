// Small files and folders of the plugin's own state. Not logs, not slugs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace davit::docker {

std::optional<std::string> read_file(const std::string& path);
/// Whole or not at all. Throws sdk::Failure.
void write_file(const std::string& path, const std::string& text);
void remove_file(const std::string& path);
void make_folder(const std::string& path);
std::vector<std::string> names_in(const std::string& folder);  ///< sorted; none if there is no such folder
std::int64_t modified_ns(const std::string& path);             ///< 0 if there is no such file

/// An exclusive flock for as long as the object lives; waits for it.
class FileLock {
 public:
  explicit FileLock(const std::string& path);
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

 private:
  int fd_;
};

}  // namespace davit::docker
