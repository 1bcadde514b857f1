// Backups: dumps in a folder, with what was in the service beside each; how many are kept; and whether one is
// good.
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.hpp"
#include "process/files.hpp"
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

fs::path print_of(fs::path dump) {
  return dump.replace_extension(kPrint);
}

}  // namespace

// Sorted: the stamp makes the oldest the first.
std::vector<fs::path> ServiceKeeper::backups_in(const Service& service, const fs::path& folder) const {
  std::vector<fs::path> found;
  std::error_code ignored;
  const std::string prefix = service.name + "-";
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename();
    const bool stamped = name.size() == prefix.size() + stamp(0).size() + kDump.size();
    if (name.starts_with(prefix) && stamped && name.ends_with(kDump)) found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

fs::path ServiceKeeper::backup_folder(const Service& service) const {
  return world_.home.backups() / service.kind / service.name;
}

// What is in the home's own folder; it is found by the service's name.
Result<> ServiceKeeper::move_backups(const Service& before, const Service& now) const {
  const auto all = backups_in(before, backup_folder(before));
  if (all.empty()) return {};
  DAVIT_TRY(make_dirs(backup_folder(now), 0700));
  for (const fs::path& dump : all) {
    const std::string rest = dump.filename().string().substr(before.name.size());
    const fs::path target = backup_folder(now) / (now.name + rest);
    std::error_code error;
    fs::rename(print_of(dump), print_of(target), error);  // there may be none
    fs::rename(dump, target, error);
    if (error) return fail(system_error(fmt::format("name {}", target.string()), error.value()));
  }
  return {};
}

Result<fs::path> ServiceKeeper::backup(const Service& service, const fs::path& folder,
                                       const CallContext& context) {
  DAVIT_TRY(await(service, kStartLimitMs, context));
  DAVIT_TRY(make_dirs(folder, 0700));
  const fs::path file =
      folder / fmt::format("{}-{}{}", service.name, stamp(world_.clock.now_unix_ms()), kDump);
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
    return {};
  }();
  if (!taken) {
    DAVIT_TRY(remove_tree(part));
    return fail(taken.error());
  }
  DAVIT_TRY(thin_out(service, file));
  return file;
}

// The clock may have gone back since the others were taken: then the new one looks like the oldest.
Result<> ServiceKeeper::thin_out(const Service& service, const fs::path& taken) const {
  std::size_t keep = kKeptBackups;
  DAVIT_TRY_ASSIGN(const auto said, world_.store.services().setting(service.id, "backup-keep"));
  if (said) std::from_chars(said->data(), said->data() + said->size(), keep);
  auto others = backups_in(service, taken.parent_path());
  std::erase(others, taken);
  for (std::size_t i = 0; keep != 0 && i + keep < others.size() + 1; ++i) {
    DAVIT_TRY(remove_tree(print_of(others[i])));
    DAVIT_TRY(remove_tree(others[i]));
  }
  return {};
}

Result<> ServiceKeeper::verify_backup(const Service& service, const fs::path& file,
                                      const CallContext& context) {
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) {
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
