// CatalogCache: plugins' notes and plugins.toml as they were read before, kept by their files' identity. An
// optimisation only: whatever is odd about the cache file, it counts as empty. Private to host/plugin.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "plugin/catalog.hpp"
#include "plugin/note.hpp"
#include "plugin/plugins_toml.hpp"

namespace davit {

/// What must be the same for what a file said to be still true.
struct FileIdentity {
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t mtime_ns = 0, ctime_ns = 0;
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

/// Names of files in a folder that are plugins by their name, sorted; none if there is no such folder.
std::vector<std::string> plugin_files_in(const std::string& folder);

struct ReadNote {
  PluginNote note;
  std::optional<Error> problem;
};

class CatalogCache {
 public:
  /// An empty `file`: no cache.
  explicit CatalogCache(std::filesystem::path file);
  /// From the cache, or from the plugin's file (then the cache is to be written anew). The problem of a file
  /// that cannot be read is not kept; that of one with a bad note is.
  ReadNote read(const std::string& plugin_file);
  /// As read_plugins_toml(), without parsing a file that is known. What is wrong with one is never kept.
  Result<PluginsToml> read_toml(const std::filesystem::path& file);
  /// The groups that set_groups() left, if all is as it was then: plugins.toml, and in `folder` the same
  /// plugin files, none added. Decodes no note.
  [[nodiscard]] std::optional<CommandGroups> groups(const std::filesystem::path& toml_file,
                                                    const std::string& folder) const;
  void set_groups(std::optional<CommandGroups> groups);
  /// Whether they are there, and nothing has been read anew since.
  [[nodiscard]] bool knows_groups() const { return groups_ && !changed_; }
  [[nodiscard]] bool changed() const { return changed_; }
  /// Writes what has changed. Failing is silent: a read-only home works without a cache.
  void save();
  /// Plugin files that had to be opened: 0 with a warm cache.
  [[nodiscard]] unsigned opened() const { return opened_; }

 private:
  struct Kept {
    FileIdentity identity;
    std::string_view content;  // a packed ReadNote, in bytes_ or in fresh_: made a value when it is asked for
    bool used = false;
  };
  struct KeptToml {
    std::string path;
    FileIdentity identity;
    std::string_view content;  // as above
  };
  void load();
  [[nodiscard]] bool is_unchanged(const std::string& file, const FileIdentity& identity) const;
  /// A file changed in the clock tick in which the cache was written could look the same: not trusted.
  [[nodiscard]] bool is_older(const FileIdentity& identity) const { return identity.ctime_ns < written_ns_; }

  std::filesystem::path file_;
  std::int64_t written_ns_ = 0;    // of the cache file
  std::string bytes_;              // of the cache file
  std::deque<std::string> fresh_;  // read from plugins' files
  std::map<std::string, Kept, std::less<>> kept_;
  std::optional<KeptToml> toml_;
  std::optional<CommandGroups> groups_;
  bool changed_ = false;
  unsigned opened_ = 0;
};

}  // namespace davit
