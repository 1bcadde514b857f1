// The cache of the catalog: an optimisation, ignored when odd.
#include "plugin/catalog_cache.hpp"

#include <davit/abi.h>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <memory>

#include "plugin/note_codec.hpp"
#include "plugin/note_reader.hpp"
#include "process/files.hpp"
#include "process/unique_fd.hpp"

namespace davit {
namespace {

// Raise the number when the form of the cache, of PluginNote or of PluginsToml changes.
constexpr std::string_view kMagic = "davit plugin notes 6\n";
constexpr off_t kMaxCacheBytes = 64 * 1024 * 1024;
constexpr std::int64_t kNsPerS = 1'000'000'000;

std::int64_t ns_of(const timespec& time) {
  return time.tv_sec * kNsPerS + time.tv_nsec;
}

FileIdentity identity_of(const struct stat& status) {
  return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size), ns_of(status.st_mtim),
          ns_of(status.st_ctim)};
}

/// Tells a file that was cut or damaged. Eight bytes at a time: a hundred plugins' notes are hashed at each
/// command.
std::string fingerprint(std::string_view payload) {
  std::uint64_t hash = payload.size(), word = 0;
  const auto mix = [&] { hash = std::rotl((hash ^ word) * 0x9e3779b97f4a7c15ULL, 29); };
  for (; payload.size() >= sizeof word; payload.remove_prefix(sizeof word)) {
    std::memcpy(&word, payload.data(), sizeof word);
    mix();
  }
  word = 0;
  std::memcpy(&word, payload.data(), payload.size());
  mix();
  return fmt::format("{:016x}\n", hash);
}

/// The whole cache file, if it is ours and nobody else could have written it.
std::optional<std::string> read_trusted(const std::filesystem::path& file, std::int64_t& written_ns) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status {};
  if (!fd.valid() || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  if (status.st_uid != ::geteuid() || (status.st_mode & 022) != 0 || status.st_size > kMaxCacheBytes)
    return std::nullopt;
  written_ns = ns_of(status.st_mtim);
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t got = ::read(fd.get(), bytes.data() + at, bytes.size() - at);
    if (got <= 0) return std::nullopt;
    at += static_cast<std::size_t>(got);
  }
  return bytes;
}

void pack_identity(Packer& out, const FileIdentity& identity) {
  for (const std::uint64_t number : {identity.device, identity.inode, identity.size})
    out.number(static_cast<std::int64_t>(number));
  out.number(identity.mtime_ns);
  out.number(identity.ctime_ns);
}

FileIdentity unpack_identity(Unpacker& in) {
  FileIdentity identity;
  for (std::uint64_t* number : {&identity.device, &identity.inode, &identity.size})
    *number = static_cast<std::uint64_t>(in.number());
  identity.mtime_ns = in.number();
  identity.ctime_ns = in.number();
  return identity;
}

void pack_error(Packer& out, const std::optional<Error>& error) {
  out.number(error ? 1 : 0);
  if (!error) return;
  out.number(static_cast<std::int64_t>(error->code));
  for (const std::string* text : {&error->message, &error->hint, &error->slug}) out.text(*text);
}

std::string packed(const ReadNote& content) {
  Packer out;
  pack_error(out, content.problem);
  pack(out, content.note);
  return out.take();
}

std::optional<Error> unpack_error(Unpacker& in) {
  if (in.number() == 0) return std::nullopt;
  Error error;
  error.code = static_cast<Code>(in.number());
  for (std::string* text : {&error.message, &error.hint, &error.slug}) *text = in.text();
  return error;
}

std::optional<ReadNote> unpacked(std::string_view bytes) {
  Unpacker in(bytes);
  ReadNote content;
  content.problem = unpack_error(in);
  content.note = unpack_note(in);
  if (in.failed() || !in.at_end()) return std::nullopt;
  return content;
}

}  // namespace

CatalogCache::CatalogCache(std::filesystem::path file) : file_(std::move(file)) {
  if (!file_.empty()) load();
}

void CatalogCache::load() {
  auto bytes = read_trusted(file_, written_ns_);
  const std::size_t head = kMagic.size() + fingerprint("").size();
  if (!bytes || bytes->size() < head || !bytes->starts_with(kMagic)) return;
  bytes_ = std::move(*bytes);
  const std::string_view payload = std::string_view(bytes_).substr(head);
  if (std::string_view(bytes_).substr(kMagic.size(), head - kMagic.size()) != fingerprint(payload)) return;
  Unpacker in(payload);
  if (in.number() != DAVIT_ABI_MAJOR || in.number() != DAVIT_ABI_MINOR) return;
  std::map<std::string, Kept, std::less<>> kept;
  for (std::size_t left = in.count(); left > 0; --left) {
    std::string path = in.text();
    const FileIdentity identity = unpack_identity(in);
    kept.emplace_hint(kept.end(), std::move(path), Kept{identity, in.view()});
  }
  std::optional<KeptToml> toml;
  if (in.number() != 0) {
    KeptToml& one = toml.emplace();
    one.path = in.text();
    one.identity = unpack_identity(in);
    one.content = in.view();
  }
  std::optional<CommandGroups> groups;
  if (in.number() != 0) {
    groups.emplace(in.count());
    for (auto& [name, line] : *groups) {
      name = in.text();
      line = in.text();
    }
  }
  if (in.failed() || !in.at_end()) return;
  kept_ = std::move(kept);
  toml_ = std::move(toml);
  groups_ = std::move(groups);
}

bool CatalogCache::is_unchanged(const std::string& file, const FileIdentity& identity) const {
  struct stat status {};
  return ::stat(file.c_str(), &status) == 0 && identity_of(status) == identity && is_older(identity);
}

std::optional<CommandGroups> CatalogCache::groups(const std::filesystem::path& toml_file,
                                                  const std::string& folder) const {
  if (!groups_ || !toml_ || toml_->path != toml_file.native() || !is_unchanged(toml_->path, toml_->identity))
    return std::nullopt;
  const auto is_known = [&](const std::string& name) {
    return kept_.contains(fmt::format("{}/{}", folder, name));
  };
  if (!std::ranges::all_of(plugin_files_in(folder), is_known)) return std::nullopt;
  for (const auto& [file, kept] : kept_)
    if (!is_unchanged(file, kept.identity)) return std::nullopt;
  return groups_;
}

void CatalogCache::set_groups(std::optional<CommandGroups> groups) {
  changed_ = changed_ || groups_ != groups;
  groups_ = std::move(groups);
}

std::vector<std::string> plugin_files_in(const std::string& folder) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), ::closedir);
  if (!open) return names;
  while (const dirent* item = ::readdir(open.get())) {
    const std::string_view name = item->d_name;
    if (name.ends_with(".so") && !name.starts_with('.')) names.emplace_back(name);
  }
  std::ranges::sort(names);
  return names;
}

ReadNote CatalogCache::read(const std::string& plugin_file) {
  struct stat status {};
  if (::stat(plugin_file.c_str(), &status) != 0)
    return {{}, system_error("plugin file " + plugin_file, errno)};
  const FileIdentity identity = identity_of(status);
  if (const auto found = kept_.find(plugin_file);
      found != kept_.end() && found->second.identity == identity && is_older(identity)) {
    if (auto content = unpacked(found->second.content)) {
      found->second.used = true;
      return std::move(*content);
    }
  }
  changed_ = true;
  ++opened_;
  ReadNote content;
  if (auto note = read_note(plugin_file))
    content.note = std::move(*note);
  else
    content.problem = std::move(note).error();
  const bool keep = !content.problem || content.problem->code == Code::kInvalid;
  if (keep)
    kept_.insert_or_assign(plugin_file, Kept{identity, fresh_.emplace_back(packed(content)), true});
  else
    kept_.erase(plugin_file);
  return content;
}

Result<PluginsToml> CatalogCache::read_toml(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return read_plugins_toml(file);
  const FileIdentity identity = identity_of(status);
  if (toml_ && toml_->path == file.native() && toml_->identity == identity && is_older(identity)) {
    Unpacker in(toml_->content);
    PluginsToml known = unpack_plugins_toml(in);
    if (!in.failed() && in.at_end()) return known;
  }
  DAVIT_TRY_ASSIGN(PluginsToml parsed, read_plugins_toml(file));
  changed_ = true;
  Packer out;
  pack(out, parsed);
  toml_ = KeptToml{file.native(), identity, fresh_.emplace_back(out.take())};
  return parsed;
}

void CatalogCache::save() {
  const auto dropped = std::erase_if(kept_, [](const auto& item) { return !item.second.used; });
  if (file_.empty() || (!changed_ && dropped == 0)) return;
  Packer out;
  out.number(DAVIT_ABI_MAJOR);
  out.number(DAVIT_ABI_MINOR);
  out.number(static_cast<std::int64_t>(kept_.size()));
  for (const auto& [path, one] : kept_) {
    out.text(path);
    pack_identity(out, one.identity);
    out.text(one.content);
  }
  out.number(toml_ ? 1 : 0);
  if (toml_) {
    out.text(toml_->path);
    pack_identity(out, toml_->identity);
    out.text(toml_->content);
  }
  out.number(groups_ ? 1 : 0);
  if (groups_) {
    out.number(static_cast<std::int64_t>(groups_->size()));
    for (const auto& [name, line] : *groups_) {
      out.text(name);
      out.text(line);
    }
  }
  const std::string payload = out.take();
  (void)write_file_volatile(file_, std::string(kMagic) + fingerprint(payload) + payload, 0600);
}

}  // namespace davit
