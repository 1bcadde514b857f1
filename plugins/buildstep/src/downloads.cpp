// Removing a body that a build is just reading is harmless: it has it open, or misses it and downloads again.
#include "downloads.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>

#include "davit/failure.hpp"
#include "entry.hpp"
#include "files.hpp"
#include "request.hpp"

namespace davit::buildstep {
namespace fs = std::filesystem;
namespace {

struct Found {
  fs::path folder;
  std::string name;  // m-...
  downloads::CacheEntry entry;
  std::int64_t used_unix_s = 0;

  [[nodiscard]] fs::path body() const {
    return folder / (std::string(downloads::kBodyPrefix) + entry.sha256);
  }
};

sdk::Strings names_in(const fs::path& folder) {
  sdk::Strings names;
  std::error_code error;
  for (auto at = fs::directory_iterator(folder, error); !error && at != fs::directory_iterator();
       at.increment(error))
    names.push_back(at->path().filename().string());
  std::ranges::sort(names);
  return names;
}

bool is_regular(const fs::path& file, struct stat& facts) {
  return lstat(file.c_str(), &facts) == 0 && S_ISREG(facts.st_mode);
}

std::vector<Found> read_folder(const fs::path& folder) {
  std::vector<Found> all;
  for (const std::string& name : names_in(folder)) {
    struct stat facts {};
    if (!name.starts_with(downloads::kEntryPrefix) || !is_regular(folder / name, facts)) continue;
    std::optional<std::string> text;
    try {
      text = read_small_file(folder / name, downloads::kMostEntryBytes);
    } catch (const sdk::Failure&) {
      continue;
    }
    auto entry = text ? downloads::CacheEntry::parse(*text) : std::nullopt;
    if (!entry) continue;
    Found found{folder, name, std::move(*entry), facts.st_mtim.tv_sec};
    struct stat body {};
    if (!is_regular(found.body(), body)) continue;
    found.entry.bytes = static_cast<std::uint64_t>(body.st_size);
    all.push_back(std::move(found));
  }
  return all;
}

CacheSize size_of(const std::vector<Found>& all) {
  std::map<fs::path, std::uint64_t> bodies;  // several downloads may have the same
  for (const Found& found : all) bodies[found.body()] = found.entry.bytes;
  CacheSize size{0, all.size()};
  for (const auto& [body, bytes] : bodies) size.bytes += bytes;
  return size;
}

/// The longest unused first, until no more than the limit is left. `all` is what remains.
void evict(std::vector<Found>& all, std::uint64_t limit_bytes) {
  std::ranges::stable_sort(all, std::ranges::greater(), &Found::used_unix_s);
  std::uint64_t bytes = size_of(all).bytes;
  while (limit_bytes != 0 && bytes > limit_bytes && !all.empty()) {
    const Found last = std::move(all.back());
    all.pop_back();
    std::error_code error;
    fs::remove(last.folder / last.name, error);
    if (std::ranges::find(all, last.body(), &Found::body) != all.end()) continue;
    fs::remove(last.body(), error);
    bytes -= last.entry.bytes;
  }
}

}  // namespace

fs::path DownloadStore::folder(const std::string& id) const {
  fs::create_directories(root_);
  const fs::path made = root_ / id;
  fs::create_directory(made);
  return made;
}

std::vector<KeptDownload> DownloadStore::list(const std::string& id) const {
  std::vector<Found> all = read_folder(root_ / id);
  std::ranges::stable_sort(all, std::ranges::greater(), &Found::used_unix_s);
  std::vector<KeptDownload> kept;
  for (const Found& found : all) {
    kept.push_back({downloads::shown_url(found.entry.url), found.entry.sha256, found.entry.bytes,
                    found.entry.stored_unix_s, found.used_unix_s});
  }
  return kept;
}

CacheSize DownloadStore::size(const std::string& id) const {
  return size_of(read_folder(root_ / id));
}

std::uint64_t DownloadStore::purge(const std::string& id, const std::string& url) const {
  std::uint64_t gone = 0;
  std::vector<Found> rest;
  for (Found& found : read_folder(root_ / id)) {
    if (!url.empty() && downloads::shown_url(found.entry.url) != url) {
      rest.push_back(std::move(found));
      continue;
    }
    std::error_code error;
    if (fs::remove(found.folder / found.name, error)) ++gone;
  }
  for (const std::string& name : names_in(root_ / id)) {  // bodies that nobody names any more
    const bool is_needed =
        std::ranges::any_of(rest, [&name](const Found& found) { return found.body().filename() == name; });
    std::error_code error;
    if (name.starts_with(downloads::kBodyPrefix) && !is_needed) fs::remove(root_ / id / name, error);
  }
  return gone;
}

void DownloadStore::settle(const std::string& id, std::uint64_t limit_bytes) const {
  std::vector<Found> all = read_folder(root_ / id);
  evict(all, limit_bytes);
  for (const std::string& name : names_in(root_ / id)) {
    const bool is_needed = std::ranges::any_of(
        all, [&name](const Found& found) { return found.name == name || found.body().filename() == name; });
    std::error_code error;
    if (!is_needed) fs::remove_all(root_ / id / name, error);
  }
}

void DownloadStore::settle_all(const std::vector<std::string>& known, std::uint64_t limit_bytes) const {
  std::vector<Found> all;
  for (const std::string& id : names_in(root_)) {
    std::error_code error;
    if (std::ranges::find(known, id) == known.end()) {
      fs::remove_all(root_ / id, error);
      continue;
    }
    std::vector<Found> some = read_folder(root_ / id);
    all.insert(all.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
  }
  evict(all, limit_bytes);
}

}  // namespace davit::buildstep
