// Cache: an app's download cache as a build uses it: flat files in one folder, see entry.hpp. Several
// downloads of a build may use it at once: everything is written under another name and renamed, and a body
// that vanishes is a miss. It never throws away: the plugin does, outside.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "entry.hpp"

namespace davit::downloads {

/// An open file; closed at the end.
class File {
 public:
  explicit File(int fd = -1) : fd_(fd) {}
  File(File&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  File& operator=(File&& other) noexcept;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File();
  [[nodiscard]] int fd() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

struct Kept {
  CacheEntry entry;
  File body;  ///< its checksum is verified
};

class Cache {
 public:
  /// `folder` empty: there is none, nothing is found and nothing kept.
  explicit Cache(std::string folder) : folder_(std::move(folder)) {}

  /// What is kept for a request's key, if its body is whole. It counts as used now.
  [[nodiscard]] std::optional<Kept> find(const std::string& key) const;
  /// Keeps the file `scratch` (of this folder) as a body and removes that name. False: not kept, `scratch`
  /// stays.
  bool keep(const std::string& key, CacheEntry entry, const std::string& scratch) const;
  /// For scratch files: the cache's folder, so that keeping one is a rename; else TMPDIR or /tmp.
  [[nodiscard]] std::string scratch_folder() const;

 private:
  std::string folder_;
};

/// Removes the file at its end, if it is there still.
class Scratch {
 public:
  explicit Scratch(const std::string& folder);
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();
  /// Empty: no file could be made.
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

bool write_all(int fd, std::string_view bytes);
std::optional<std::string> read_text(const std::string& path, std::size_t most_bytes);

}  // namespace davit::downloads
