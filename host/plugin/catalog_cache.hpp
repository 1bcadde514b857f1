// NoteCache: notes that were read before, kept by the file's identity. An optimisation only: whatever is odd
// about the cache file, it counts as empty. Private to host/plugin.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "plugin/note.hpp"

namespace davit {

/// What must be the same for a note to be still true.
struct FileIdentity {
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t mtime_ns = 0, ctime_ns = 0;
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

struct ReadNote {
  PluginNote note;
  std::optional<Error> problem;
};

class NoteCache {
 public:
  /// An empty `file`: no cache.
  explicit NoteCache(std::filesystem::path file);
  /// From the cache, or from the plugin's file (then the cache is to be written anew). The problem of a file
  /// that cannot be read is not kept; that of one with a bad note is.
  ReadNote read(const std::filesystem::path& plugin_file);
  /// Writes what has changed. Failing is silent: a read-only home works without a cache.
  void save();
  /// Plugin files that had to be opened: 0 with a warm cache.
  [[nodiscard]] unsigned opened() const { return opened_; }

 private:
  struct Kept {
    FileIdentity identity;
    ReadNote content;
    bool used = false;
  };
  void load();

  std::filesystem::path file_;
  std::int64_t written_ns_ = 0;  // of the cache file
  std::map<std::string, Kept, std::less<>> kept_;
  bool changed_ = false;
  unsigned opened_ = 0;
};

}  // namespace davit
