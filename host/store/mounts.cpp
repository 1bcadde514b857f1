// Mounts of persistent storage.
#include "store/mounts.hpp"

#include "store/database.hpp"

namespace davit {
namespace {

StorageMount read_mount(Row row, int first) {
  return {row.text(first), row.text(first + 1), row.integer(first + 2) != 0, row.integer(first + 3) != 0,
          row.integer(first + 4) != 0};
}

#define DAVIT_MOUNT_COLUMNS "source, target, read_only, shared, confined"

}  // namespace

Result<> Mounts::add(AppId app, const StorageMount& mount) {
  auto inserted = database_.run(
      "INSERT INTO mounts (app, source, target, read_only, shared, confined) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
      app, mount.source, mount.target, mount.read_only ? 1 : 0, mount.shared ? 1 : 0, mount.confined ? 1 : 0);
  if (!inserted && inserted.error().slug == kSlugUnique) {
    return fail(Code::kConflict, "Mount path already exists.",
                "storage:list shows what is mounted there; take that away first with storage:unmount",
                "mount-exists");
  }
  if (!inserted) return fail(std::move(inserted).error());
  return {};
}

Result<bool> Mounts::remove(AppId app, std::string_view source, std::string_view target) {
  DAVIT_TRY_ASSIGN(const auto gone,
                   database_.run("DELETE FROM mounts WHERE app = ?1 AND source = ?2 AND target = ?3", app,
                                 source, target));
  return gone > 0;
}

Result<std::vector<StorageMount>> Mounts::of_app(AppId app) {
  return database_.collect(
      "SELECT " DAVIT_MOUNT_COLUMNS " FROM mounts WHERE app = ?1 ORDER BY target",
      [](Row row) { return read_mount(row, 0); }, app);
}

Result<std::vector<AppMount>> Mounts::all() {
  return database_.collect("SELECT app, apps.name, " DAVIT_MOUNT_COLUMNS
                           " FROM mounts JOIN apps ON apps.id = app ORDER BY apps.name, target",
                           [](Row row) {
                             return AppMount{AppId{row.integer(0)}, row.text(1), read_mount(row, 2)};
                           });
}

}  // namespace davit
