// DownloadStore: the download caches outside of builds: one folder an app, filled by the wrapper inside the
// app's builds (native/), so that no app's build can reach another's. Here they are listed and kept to their
// limits. What is in a folder was written by a build: names are taken as they are, no link is followed, and
// only small regular files are read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace davit::buildstep {

struct KeptDownload {
  std::string url;  ///< without credentials and query
  std::string sha256;
  std::uint64_t bytes = 0;
  std::int64_t stored_unix_s = 0;
  std::int64_t used_unix_s = 0;
};

struct CacheSize {
  std::uint64_t bytes = 0;
  std::uint64_t files = 0;  ///< downloads
};

class DownloadStore {
 public:
  /// `root` is the plugin's own; folders in it are named by the app's cache id.
  explicit DownloadStore(std::filesystem::path root) : root_(std::move(root)) {}

  /// The folder, made if it is not there.
  [[nodiscard]] std::filesystem::path folder(const std::string& id) const;
  /// The one used last comes first.
  [[nodiscard]] std::vector<KeptDownload> list(const std::string& id) const;
  [[nodiscard]] CacheSize size(const std::string& id) const;
  /// All of it, or with `url` only what was fetched from there (as list() shows it). How many downloads went.
  std::uint64_t purge(const std::string& id, const std::string& url = {}) const;

  /// After a build of `id`, when nobody writes there: what belongs to no download goes, then the downloads
  /// that were not used for longest, until `limit_bytes` are left. 0: no limit.
  void settle(const std::string& id, std::uint64_t limit_bytes) const;
  /// Over all folders. Those that are not of `known` go whole: their apps are gone.
  void settle_all(const std::vector<std::string>& known, std::uint64_t limit_bytes) const;

 private:
  std::filesystem::path root_;
};

}  // namespace davit::buildstep
