// Which releases nobody needs any more.
#include <fmt/format.h>

#include "store/database.hpp"
#include "store/releases.hpp"

namespace davit {

Result<std::vector<std::uint32_t>> Releases::expendable(AppId app, std::size_t keep) {
  return database_.collect(
      "SELECT version FROM releases AS r WHERE app = ?1 AND state <> 'live' "
      // not newer than the live one; without a live one, not the newest
      "AND version < coalesce((SELECT version FROM releases WHERE app = ?1 AND state = 'live'), "
      "                       (SELECT max(version) FROM releases WHERE app = ?1)) "
      // not the target of a rollback
      "AND version NOT IN (SELECT version FROM releases WHERE app = ?1 AND live_seq IS NOT NULL AND state <> "
      "'live' "
      "                    ORDER BY live_seq DESC LIMIT 1) "
      // not in use
      "AND NOT EXISTS (SELECT 1 FROM live_groups WHERE app = ?1 AND release_version = r.version) "
      "AND NOT EXISTS (SELECT 1 FROM deployments WHERE app = ?1 AND finished_at_ms IS NULL "
      "                AND r.version IN (from_version, to_version)) "
      // not among the newest good ones
      "AND version NOT IN (SELECT version FROM releases WHERE app = ?1 AND state <> 'failed' "
      "                    ORDER BY version DESC LIMIT ?2) "
      "ORDER BY version",
      [](Row row) { return static_cast<std::uint32_t>(row.integer(0)); }, app, keep);
}

Result<> Releases::forget(AppId app, const std::vector<std::uint32_t>& versions) {
  return database_.transaction([&]() -> Result<> {
    for (const auto version : versions) {
      DAVIT_TRY_ASSIGN(const auto live,
                       database_.first(
                           "SELECT 1 FROM releases WHERE app = ?1 AND version = ?2 AND state = 'live'",
                           [](Row row) { return row.integer(0); }, app, version));
      if (live) return fail(Code::kConflict, fmt::format("Release v{} is live", version), {}, "release-live");
      DAVIT_TRY(database_.run("DELETE FROM releases WHERE app = ?1 AND version = ?2", app, version));
    }
    return {};
  });
}

// A failed release never runs again: it needs none.
Result<std::vector<std::string>> Releases::artifact_refs(AppId app) {
  return database_.collect(
      "SELECT DISTINCT artifact_ref FROM releases WHERE app = ?1 AND artifact_kind <> 'none' "
      "AND state <> 'failed' ORDER BY artifact_ref",
      [](Row row) { return row.text(0); }, app);
}

}  // namespace davit
