// Backups: dumps in a folder, with what was in the service beside each; how many are kept; and whether one is
// good.
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.hpp"
#include "process/files.hpp"
#include "process/sync_tree.hpp"
#include "service/keeper.hpp"

namespace davit {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kKeptBackups = 7;
constexpr std::string_view kDump = ".dump";
constexpr std::string_view kPrint = ".fingerprint";
constexpr std::size_t kMaxPrintBytes = 64 * 1024 * 1024;

/// "20261128T123000Z".
std::string stamp(UnixMs now_ms) {
  std::string text = iso8601_utc(now_ms);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

/// Two kinds may share a folder.
std::string prefix_of(const Service& service) {
  return fmt::format("{}-{}-", service.kind, service.name);
}

bool is_stamp(std::string_view text) {
  const std::string form = stamp(0);
  return std::ranges::equal(text, form, [](char c, char formed) {
    const bool digit = formed >= '0' && formed <= '9';
    return digit ? c >= '0' && c <= '9' : c == formed;
  });
}

fs::path print_of(fs::path dump) {
  return dump.replace_extension(kPrint);
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

/// The newest by its name: of a folder that came from elsewhere, which no record names.
fs::path newest_named(const Service& service, const fs::path& folder) {
  fs::path newest;
  std::error_code ignored;
  const std::string prefix = prefix_of(service);
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(prefix) || !name.ends_with(kDump)) continue;
    const auto between = std::string_view(name).substr(prefix.size());
    if (is_stamp(between.substr(0, between.size() - kDump.size()))) newest = std::max(newest, entry.path());
  }
  return newest;
}

}  // namespace

Result<std::vector<fs::path>> ServiceKeeper::backups_in(const Service& service,
                                                        const fs::path& folder) const {
  DAVIT_TRY_ASSIGN(const auto all, world_.store.services().backups(service.id));
  std::vector<fs::path> found;
  for (const fs::path path : all) {
    if (folder.empty() || path.parent_path() == folder) found.push_back(path);
  }
  return found;
}

Result<fs::path> ServiceKeeper::newest_backup(const Service& service, const fs::path& folder) const {
  DAVIT_TRY_ASSIGN(const auto taken, backups_in(service, folder));
  const auto newest = std::find_if(taken.rbegin(), taken.rend(), is_file);
  if (newest != taken.rend()) return *newest;
  const fs::path place = folder.empty() ? backup_folder(service) : folder;
  if (const fs::path named = newest_named(service, place); !named.empty()) return named;
  return fail(Code::kNotFound, fmt::format("There is no backup of {} in {}", service.name, place.string()),
              fmt::format("Take one: davit {}:backup {}", service.kind, service.name), "backup-missing");
}

fs::path ServiceKeeper::backup_folder(const Service& service) const {
  return world_.home.backups() / service.kind / service.name;
}

// A death may have come between a file and its row: then the file is there already.
Result<> ServiceKeeper::gather_backups(const Service& service) const {
  const fs::path folder = backup_folder(service);
  DAVIT_TRY_ASSIGN(const auto all, world_.store.services().backups(service.id));
  for (const fs::path dump : all) {
    const fs::path from = dump.parent_path();
    if (from == folder || from.parent_path() != folder.parent_path()) continue;
    const std::string prefix = fmt::format("{}-{}-", service.kind, from.filename().string());
    const std::string name = dump.filename();
    if (!name.starts_with(prefix)) continue;
    DAVIT_TRY(make_dirs(folder, 0700));
    const fs::path target = folder / (prefix_of(service) + name.substr(prefix.size()));
    if (is_file(dump) == is_file(target)) continue;  // both: of another one that had the name; none: gone
    std::error_code error;
    if (is_file(dump)) {
      fs::rename(print_of(dump), print_of(target), error);  // there may be none
      fs::rename(dump, target, error);
      if (error) return fail(system_error(fmt::format("name {}", target.string()), error.value()));
      world_.failpoint("backups:moved");
    }
    DAVIT_TRY(world_.store.services().move_backup(dump.string(), target.string()));
  }
  return {};
}

Result<fs::path> ServiceKeeper::backup(const Service& service, const fs::path& folder,
                                       const CallContext& context) {
  DAVIT_TRY(await(service, kStartLimitMs, context));
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored))
    DAVIT_TRY(make_dirs(folder, 0700));  // one that is there stays as it is
  const fs::path file =
      folder / fmt::format("{}{}{}", prefix_of(service), stamp(world_.clock.now_unix_ms()), kDump);
  const fs::path part = file.string() + ".part";
  const auto taken = [&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const std::string before, current(service).fingerprint(context));
    DAVIT_TRY(dump_into(current(service), part, context));
    DAVIT_TRY_ASSIGN(const std::string after, current(service).fingerprint(context));
    // Only of a service that nobody wrote to meanwhile it is known what exactly the dump holds.
    if (before == after) DAVIT_TRY(write_file_atomic(print_of(file), before, 0600));
    std::error_code error;
    fs::rename(part, file, error);
    if (error) return fail(system_error(fmt::format("name {}", file.string()), error.value()));
    DAVIT_TRY(sync_folder(folder));
    return world_.store.services().add_backup(service.id, file.string());
  }();
  if (!taken) {
    DAVIT_TRY(remove_tree(part));
    return fail(taken.error());
  }
  DAVIT_TRY(thin_out(service, file));
  return file;
}

Result<> ServiceKeeper::thin_out(const Service& service, const fs::path& taken) const {
  std::size_t keep = kKeptBackups;
  DAVIT_TRY_ASSIGN(const auto said, world_.store.services().setting(service.id, "backup-keep"));
  if (said) std::from_chars(said->data(), said->data() + said->size(), keep);
  DAVIT_TRY_ASSIGN(auto all, backups_in(service, taken.parent_path()));
  for (const fs::path& gone : all) {
    if (!is_file(gone)) DAVIT_TRY(world_.store.services().forget_backup(gone.string()));
  }
  std::erase_if(all, [](const fs::path& path) { return !is_file(path); });
  for (std::size_t i = 0; keep != 0 && i + keep < all.size(); ++i) {
    DAVIT_TRY(remove_tree(print_of(all[i])));
    DAVIT_TRY(remove_tree(all[i]));
    DAVIT_TRY(world_.store.services().forget_backup(all[i].string()));
  }
  return {};
}

Result<> ServiceKeeper::verify_backup(const Service& service, const fs::path& file,
                                      const CallContext& context) {
  std::error_code ignored;
  if (!is_file(file)) {
    return fail(Code::kNotFound, fmt::format("There is no file {}", file.string()),
                fmt::format("Give a dump, or a folder of those that {}:backup made", service.kind),
                "backup-missing");
  }
  const bool compares = fs::exists(print_of(file), ignored);
  std::string wanted;
  if (compares) {
    DAVIT_TRY_ASSIGN(wanted, read_file(print_of(file), kMaxPrintBytes));
  }
  DAVIT_TRY_ASSIGN(const Generation thrown_away,
                   build(
                       service, service.version,
                       [&](const Generation& fresh) -> Result<> {
                         DAVIT_TRY(load_file(fresh, file, context));
                         DAVIT_TRY_ASSIGN(const std::string has, fresh.fingerprint(context));
                         if (!compares || has == wanted) return {};
                         return fail(Code::kFailed,
                                     fmt::format("{} does not hold what was in the service", file.string()),
                                     "Take another backup", "data-differ");
                       },
                       context));
  DAVIT_TRY(discard(thrown_away, context));
  context.out.step(
      compares ? "It loads, and holds exactly what was in the service"
               : "It loads; it was taken while somebody wrote, so there is nothing to compare it with");
  return {};
}

}  // namespace davit
