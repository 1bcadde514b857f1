// storage: folders that outlive releases, and which apps see them where.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <optional>

#include "cli/json.hpp"
#include "commands/reports.hpp"
#include "commands/storage_rows.hpp"
#include "commands/table.hpp"
#include "lifecycle/storage.hpp"
#include "plugin/app_user.hpp"
#include "process/files.hpp"
#include "process/unique_fd.hpp"

namespace davit {
namespace {

namespace fs = std::filesystem;

// Other uids pass through to the folder that is theirs; nobody lists the names.
constexpr mode_t kStorageMode = 0711;
constexpr mode_t kFolderMode = 0750;

struct KnownOwner {
  std::string_view word;
  uid_t uid;
};
// The users of usual images, by dokku's words.
constexpr std::array<KnownOwner, 4> kOwners{
    {{"herokuish", 32767}, {"heroku", 1000}, {"paketo", 2000}, {"root", 0}}};

struct Owner {
  uid_t uid = 0;
  gid_t gid = 0;
};

/// Of "UID" or "UID:GID", as images name their users; the group is the same number if none is given.
std::optional<Owner> numbered(std::string_view text) {
  constexpr unsigned kNone = ~0U;  // means nobody to chown()
  const auto number = [](std::string_view digits) -> unsigned {
    unsigned value = kNone;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc{} && end == digits.data() + digits.size() ? value : kNone;
  };
  const auto colon = text.find(':');
  const unsigned uid = number(text.substr(0, colon));
  const unsigned gid = colon == std::string_view::npos ? uid : number(text.substr(colon + 1));
  if (uid == kNone || gid == kNone) return std::nullopt;
  return Owner{uid, gid};
}

/// nullopt: as it is made.
Result<std::optional<Owner>> owner_of(Session& session, std::optional<std::string_view> wanted) {
  if (wanted == "false") return std::optional<Owner>{};
  if (wanted && *wanted != "app") {
    const auto known = std::ranges::find(kOwners, *wanted, &KnownOwner::word);
    if (known != kOwners.end()) return std::optional<Owner>{{known->uid, known->uid}};
    if (const auto numbers = numbered(*wanted)) return std::optional<Owner>{*numbers};
    return fail(Code::kInvalid, fmt::format("Unsupported chown permissions: {}", *wanted),
                "Use app, herokuish, heroku, paketo, root, false, or the numbers UID or UID:GID");
  }
  DAVIT_TRY_ASSIGN(const PluginCatalog* catalog, session.catalog());
  DAVIT_TRY_ASSIGN(const auto user, app_user_of(catalog->host().app_user));
  if (!user) return std::optional<Owner>{};
  return std::optional<Owner>{{user->uid, user->gid}};
}

Result<> give(const fs::path& folder, const Owner& owner) {
  const UniqueFd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) return fail(system_error("open " + folder.string(), errno));
  if (fchown(fd.get(), owner.uid, owner.gid) != 0)
    return fail(system_error("change the owner of " + folder.string(), errno));
  return {};
}

Result<> make_storage(Session& session, const std::string& name, std::optional<std::string_view> chown) {
  const fs::path folder = session.home().storage() / name;
  DAVIT_TRY_ASSIGN(const auto owner, owner_of(session, chown));
  DAVIT_TRY(make_dir(session.home().storage(), kStorageMode));
  std::error_code error;
  const bool there = fs::exists(fs::symlink_status(folder, error));
  if (!there) DAVIT_TRY(make_dir(folder, kFolderMode));
  // What is there keeps its owner unless one is asked for: an app may have been given it on purpose.
  if (!owner || (there && !chown)) return {};
  session.out().detail(fmt::format("Setting directory ownership to {}:{}\n", owner->uid, owner->gid));
  return give(folder, *owner);
}

Result<int> ensure_directory(Session& session, const Arguments& args) {
  if (args.args.empty()) return fail(Code::kInvalid, "Please specify a directory to create");
  const std::string& name = args.args.front();
  DAVIT_TRY(check_storage_name(name));
  session.out().step(fmt::format("Ensuring {} exists", (session.home().storage() / name).string()));
  DAVIT_TRY(make_storage(session, name, args.value("chown")));
  session.out().detail("Directory ready for mounting\n");
  return 0;
}

/// Another app's releases are not kept from it by ours: it is said, and done.
Result<> tell_other_users(Session& session, Store& store, const App& app, const StorageMount& mount) {
  DAVIT_TRY_ASSIGN(const auto all, store.mounts().all());
  for (const AppMount& other : all) {
    if (other.app == app.id) continue;
    if (source_path(session.home(), other.mount) != source_path(session.home(), mount)) continue;
    session.out().warning(
        fmt::format("{} is mounted by {} too", source_path(session.home(), mount), other.app_name));
  }
  return {};
}

void tell_when(Session& session, const App& app) {
  if (!app.deployed) return;
  session.out().detail(
      fmt::format("It counts from the next start on: {} ps:restart {}\n", session.where().program, app.name));
}

Result<int> mount(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const App app, session.app(args));
  if (args.args.empty()) return fail(Code::kInvalid, "Please specify a valid storage path");
  DAVIT_TRY_ASSIGN(StorageMount mount, parse_mount(args.args.front()));
  mount.confined = session.where().over_ssh;
  const bool named = !mount.source.starts_with('/');
  if (mount.confined && !named) {
    return fail(
        Code::kDenied, "Over ssh, only folders of the home's storage can be mounted",
        fmt::format("Write a name instead of {}; paths of the machine are mounted on the server itself",
                    mount.source),
        "mount-denied");
  }
  DAVIT_TRY(check_source(session.home(), mount));
  const std::string source = source_path(session.home(), mount);
  std::error_code error;
  DAVIT_TRY_ASSIGN(Store * store, session.writing());
  if (!named && !fs::exists(source, error))
    return fail(Code::kNotFound, fmt::format("{} does not exist", source), "Make it first", "mount-source");
  // What is refused leaves neither a folder nor a row.
  DAVIT_TRY(store->transaction([&]() -> Result<> {
    DAVIT_TRY(store->mounts().add(app.id, mount));
    if (!named) return {};
    DAVIT_TRY(make_storage(session, mount.source, {}));
    if (!mount.confined || !fs::is_symlink(source, error)) return {};
    return fail(Code::kDenied, fmt::format("{} is a link", source), "Mount it on the server itself",
                "mount-denied");
  }));
  session.out().step(fmt::format("Mounted {} at {} of {}", source, mount.target, app.name));
  DAVIT_TRY(tell_other_users(session, *store, app, mount));
  if (!mount.shared && !mount.read_only) {
    session.out().detail(
        "A new release stops the old one first, so that two never write to it; add :shared if they may\n");
  }
  tell_when(session, app);
  return 0;
}

Result<int> unmount(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const App app, session.app(args));
  if (args.args.empty()) return fail(Code::kInvalid, "Please specify a valid storage path");
  DAVIT_TRY_ASSIGN(const StorageMount wanted, split_mount(args.args.front()));
  DAVIT_TRY_ASSIGN(Store * store, session.writing());
  DAVIT_TRY_ASSIGN(const auto mounts, store->mounts().of_app(app.id));
  for (const StorageMount& mount : mounts) {
    // By the name or by its path: it is the same folder.
    if (mount.target != wanted.target ||
        source_path(session.home(), mount) != source_path(session.home(), wanted))
      continue;
    DAVIT_TRY(store->mounts().remove(app.id, mount.source, mount.target));
    session.out().step(fmt::format("Unmounted {} from {}; the folder stays", mount.target, app.name));
    tell_when(session, app);
    return 0;
  }
  return fail(Code::kNotFound, "Mount path does not exist.",
              fmt::format("See: davit storage:list {}", app.name), "mount-missing");
}

Result<int> list(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const App app, session.app(args));
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  DAVIT_TRY_ASSIGN(const auto mounts, store->mounts().of_app(app.id));
  if (args.json()) {
    std::vector<std::string> rows;
    for (const StorageMount& mount : mounts) {
      rows.push_back(JsonObject()
                         .text("host_path", source_path(session.home(), mount))
                         .text("container_path", mount.target)
                         .text("volume_options", options_text(mount))
                         .str());
    }
    session.out().result(json_array(rows) + "\n");
    return 0;
  }
  session.quiet_step(fmt::format("{} volume bind-mounts:", app.name));
  std::string text;
  for (const StorageMount& mount : mounts)
    text += fmt::format("     {}\n", mount_text(session.home(), mount));
  session.out().result(text);
  return 0;
}

constexpr CliFlag kFormat[] = {kFormatFlag};
constexpr CliFlag kEnsureFlags[] = {{"chown", "app|herokuish|heroku|paketo|root|UID[:GID]|false",
                                     "Whose it is; app: the user that apps run as"}};

}  // namespace

MoreRows storage_rows(Session& session) {
  return [&session](Report& report, const App& app) -> Result<> {
    if (app.id == AppId::kGlobal) return {};
    DAVIT_TRY_ASSIGN(Store * store, session.reading());
    DAVIT_TRY_ASSIGN(const auto mounts, store->mounts().of_app(app.id));
    std::string text;
    for (const StorageMount& mount : mounts)
      text += fmt::format("{}-v {}", text.empty() ? "" : " ", mount_text(session.home(), mount));
    report.add("storage-build-mounts", "");
    report.add("storage-deploy-mounts", text);
    report.add("storage-run-mounts", text);
    return {};
  };
}

std::span<const CoreCommand> storage_commands() {
  static constexpr CoreCommand kCommands[] = {
      {{.name = "storage:ensure-directory",
        .usage = "[--chown OWNER] <directory>",
        .summary = "Make a folder that apps can keep things in",
        .maximum_args = 1,
        .flags = kEnsureFlags},
       ensure_directory},
      {{.name = "storage:list",
        .usage = "[--format text|json] <app>",
        .summary = "List what is mounted into an app",
        .app = AppArgument::kExisting,
        .flags = kFormat},
       list},
      {{.name = "storage:mount",
        .usage = "<app> <host-dir>:<container-dir>[:ro,shared]",
        .summary = "Show a folder to the instances and one-off processes of an app",
        .app = AppArgument::kExisting,
        .maximum_args = 1},
       mount},
      core_report_command("storage:report"),
      {{.name = "storage:unmount",
        .usage = "<app> <host-dir>:<container-dir>",
        .summary = "Take a mount away; the folder stays",
        .app = AppArgument::kExisting,
        .maximum_args = 1},
       unmount},
  };
  return kCommands;
}

}  // namespace davit
