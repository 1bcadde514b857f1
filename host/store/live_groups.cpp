// Live groups.
#include "store/live_groups.hpp"

#include "store/database.hpp"
#include "store/names.hpp"

namespace davit {
namespace {

#define DAVIT_GROUP_COLUMNS                                                                           \
  "SELECT app, apps.name, revision, process_type, release_version, runtime, count, state, since_ms, " \
  "owner, mounts_json FROM live_groups JOIN apps ON apps.id = app "

LiveGroup read_group(Row row) {
  return {AppId{row.integer(0)},
          row.text(1),
          row.text(2),
          row.text(3),
          static_cast<std::uint32_t>(row.integer(4)),
          row.text(5),
          static_cast<std::uint32_t>(row.integer(6)),
          from_name(row.text(7), GroupState::kStopping),
          row.integer(8),
          row.text(9),
          row.text(10)};
}

// Revisions are "d" and a number without leading zeros: by length, then by text, is by number.
#define DAVIT_BY_REVISION "length(revision), revision"

}  // namespace

std::string_view name_of(GroupState state) {
  switch (state) {
    case GroupState::kLaunching:
      return "launching";
    case GroupState::kLive:
      return "live";
    case GroupState::kDraining:
      return "draining";
    case GroupState::kStopping:
      return "stopping";
  }
  return "stopping";
}

Result<> LiveGroups::put(const LiveGroup& group) {
  // An unchanged state keeps its time: a scale of a live group does not make it live anew.
  DAVIT_TRY(database_.run(
      "INSERT INTO live_groups (app, revision, process_type, release_version, runtime, count, "
      "state, since_ms, owner, mounts_json) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, CASE ?9 WHEN '' THEN "
      "coalesce((SELECT name FROM apps WHERE id = ?1), '') ELSE ?9 END, ?10) "
      "ON CONFLICT DO UPDATE SET release_version = "
      "excluded.release_version, "
      "runtime = excluded.runtime, count = excluded.count, state = excluded.state, "
      "mounts_json = CASE excluded.mounts_json WHEN '' THEN mounts_json ELSE excluded.mounts_json END, "
      "since_ms = CASE WHEN state = excluded.state THEN since_ms ELSE excluded.since_ms END",
      group.app, group.revision, group.process_type, group.release_version, group.runtime, group.count,
      name_of(group.state), clock_.now_unix_ms(), group.owner, group.mounts_json));
  return {};
}

Result<> LiveGroups::set_state(AppId app, std::string_view revision, GroupState state) {
  DAVIT_TRY(
      database_.run("UPDATE live_groups SET state = ?3, since_ms = ?4 "
                    "WHERE app = ?1 AND revision = ?2 AND state <> ?3",
                    app, revision, name_of(state), clock_.now_unix_ms()));
  return {};
}

Result<> LiveGroups::switch_to(AppId app, std::string_view to) {
  return database_.transaction([&]() -> Result<> {
    DAVIT_TRY(
        database_.run("UPDATE live_groups SET state = 'draining', since_ms = ?3 "
                      "WHERE app = ?1 AND revision <> ?2 AND state = 'live'",
                      app, to, clock_.now_unix_ms()));
    return set_state(app, to, GroupState::kLive);
  });
}

Result<> LiveGroups::remove(AppId app, std::string_view revision, std::string_view process_type) {
  DAVIT_TRY(database_.run("DELETE FROM live_groups WHERE app = ?1 AND revision = ?2 AND process_type = ?3",
                          app, revision, process_type));
  return {};
}

Result<> LiveGroups::remove_revision(AppId app, std::string_view revision) {
  DAVIT_TRY(database_.run("DELETE FROM live_groups WHERE app = ?1 AND revision = ?2", app, revision));
  return {};
}

Result<std::vector<LiveGroup>> LiveGroups::of_app(AppId app) {
  return database_.collect(DAVIT_GROUP_COLUMNS "WHERE app = ?1 ORDER BY " DAVIT_BY_REVISION ", process_type",
                           read_group, app);
}

Result<std::vector<LiveGroup>> LiveGroups::live(AppId app) {
  return database_.collect(DAVIT_GROUP_COLUMNS "WHERE app = ?1 AND state = 'live' ORDER BY " DAVIT_BY_REVISION
                                               ", process_type",
                           read_group, app);
}

Result<std::vector<LiveGroup>> LiveGroups::all() {
  return database_.collect(DAVIT_GROUP_COLUMNS "ORDER BY app, " DAVIT_BY_REVISION ", process_type",
                           read_group);
}

Result<std::vector<std::string>> LiveGroups::draining_beyond(AppId app, std::size_t keep) {
  return database_.collect(
      "SELECT revision FROM (SELECT DISTINCT revision FROM live_groups WHERE app = ?1 AND state = 'draining' "
      "ORDER BY length(revision) DESC, revision DESC LIMIT -1 OFFSET ?2) ORDER BY " DAVIT_BY_REVISION,
      [](Row row) { return row.text(0); }, app, keep);
}

}  // namespace davit
