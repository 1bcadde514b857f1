// Releases: making, reading and switching them. What may be forgotten: releases_retention.cpp.
#include "store/releases.hpp"

#include <fmt/format.h>

#include <charconv>

#include "store/database.hpp"
#include "store/names.hpp"
#include "store/packed.hpp"

namespace davit {
namespace {

constexpr std::int64_t kNoLimit = -1;

std::uint32_t read_version(Row row) {
  return static_cast<std::uint32_t>(row.integer(0));
}

Error release_not_found(std::uint32_t version) {
  return {Code::kNotFound,
          fmt::format("Release v{} does not exist", version),
          "See: davit releases:list",
          "release-not-found",
          {}};
}

std::string pack_quantities(const Quantities& quantities) {
  std::vector<std::string> parts;
  for (const auto& [type, quantity] : quantities) {
    parts.push_back(type);
    parts.push_back(std::to_string(quantity));
  }
  return pack(parts);
}

Quantities unpack_quantities(std::string_view bytes) {
  const auto parts = unpack(bytes);
  Quantities quantities;
  for (std::size_t i = 0; i + 1 < parts.size(); i += 2) {
    std::uint32_t quantity = 0;
    std::from_chars(parts[i + 1].data(), parts[i + 1].data() + parts[i + 1].size(), quantity);
    quantities.emplace(parts[i], quantity);
  }
  return quantities;
}

struct StoredRelease {
  std::int64_t id = 0;
  Release release;
};

#define DAVIT_RELEASE_COLUMNS                                                                         \
  "SELECT id, app, version, state, created_at_ms, last_live_at_ms, artifact_kind, artifact_ref, "     \
  "artifact_digest, "                                                                                 \
  "artifact_size_bytes, revision, source, runtime, builder, stack, checks_json, formation, domains, " \
  "description, "                                                                                     \
  "actor FROM releases "

Artifact read_artifact(Row row, int first) {
  return {from_name(row.text(first), ArtifactKind::kImage), row.text(first + 1), row.text(first + 2),
          static_cast<std::uint64_t>(row.integer(first + 3))};
}

StoredRelease read_release(Row row) {
  StoredRelease stored;
  stored.id = row.integer(0);
  Release& release = stored.release;
  release.app = AppId{row.integer(1)};
  release.version = static_cast<std::uint32_t>(row.integer(2));
  release.state = from_name(row.text(3), ReleaseState::kFailed);
  release.created_at_ms = row.integer(4);
  release.last_live_at_ms = row.optional_integer(5);
  ReleaseSpec& spec = release.spec;
  spec.artifact = read_artifact(row, 6);
  spec.revision = row.text(10);
  spec.source = row.text(11);
  spec.runtime = row.text(12);
  spec.builder = row.text(13);
  spec.stack = row.text(14);
  spec.checks_json = row.text(15);
  spec.formation = unpack_quantities(row.text(16));
  spec.domains = unpack(row.text(17));
  spec.description = row.text(18);
  spec.actor = row.text(19);
  return stored;
}

ReleaseSummary read_summary(Row row) {
  return {static_cast<std::uint32_t>(row.integer(0)),
          from_name(row.text(1), ReleaseState::kFailed),
          row.integer(2),
          row.optional_integer(3),
          read_artifact(row, 4),
          row.text(8),
          row.text(9),
          row.text(10),
          row.text(11),
          row.text(12)};
}

// The parts of a release that have rows of their own. Releases are immutable, so reading them after the main
// row needs no transaction.
Result<Release> complete(Database& database, StoredRelease stored) {
  ReleaseSpec& spec = stored.release.spec;
  DAVIT_TRY(database.each(
      "SELECT key, value FROM release_config WHERE release = ?1",
      [&](Row row) { spec.config.insert_or_assign(row.text(0), Secret(row.text(1))); }, stored.id));
  DAVIT_TRY_ASSIGN(spec.processes,
                   database.collect(
                       "SELECT process_type, command, launcher, extras_json FROM release_processes "
                       "WHERE release = ?1 ORDER BY position",
                       [](Row row) {
                         return ReleaseProcess{row.text(0), row.text(1), unpack(row.text(2)), row.text(3)};
                       },
                       stored.id));
  return std::move(stored.release);
}

Result<std::optional<Release>> complete(Database& database, Result<std::optional<StoredRelease>> stored) {
  if (!stored) return fail(std::move(stored).error());
  if (!*stored) return std::nullopt;
  DAVIT_TRY_ASSIGN(auto release, complete(database, std::move(**stored)));
  return std::optional<Release>(std::move(release));
}

Result<std::uint32_t> next_version(Database& database, AppId app) {
  // A counter, not max + 1: a version is never used twice, whatever retention forgets.
  DAVIT_TRY_ASSIGN(const auto version,
                   database.first("UPDATE apps SET last_version = last_version + 1 WHERE id = ?1 AND id > 0 "
                                  "RETURNING last_version",
                                  read_version, app));
  if (!version) return fail(Code::kNotFound, "The app does not exist (any more)", {}, "app-not-found");
  return *version;
}

Result<std::int64_t> insert_release(Database& database, const Release& release) {
  const ReleaseSpec& spec = release.spec;
  DAVIT_TRY(database.run(
      "INSERT INTO releases (app, version, state, created_at_ms, artifact_kind, artifact_ref, "
      "artifact_digest, "
      "artifact_size_bytes, revision, source, runtime, builder, stack, checks_json, formation, domains, "
      "description, "
      "actor) VALUES (?1, ?2, 'pending', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
      release.app, release.version, release.created_at_ms, name_of(spec.artifact.kind), spec.artifact.ref,
      spec.artifact.digest, spec.artifact.size_bytes, spec.revision, spec.source, spec.runtime, spec.builder,
      spec.stack, spec.checks_json, Blob{pack_quantities(spec.formation)}, Blob{pack(spec.domains)},
      spec.description, spec.actor));
  return database.last_insert_id();
}

Result<> insert_parts(Database& database, std::int64_t id, const ReleaseSpec& spec) {
  for (const auto& [key, value] : spec.config) {
    DAVIT_TRY(database.run("INSERT INTO release_config (release, key, value) VALUES (?1, ?2, ?3)", id, key,
                           Blob{value.reveal()}));
  }
  for (std::size_t i = 0; i < spec.processes.size(); ++i) {
    const ReleaseProcess& process = spec.processes[i];
    DAVIT_TRY(database.run(
        "INSERT INTO release_processes (release, position, process_type, command, launcher, "
        "extras_json) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        id, i, process.type, process.command, Blob{pack(process.launcher_argv)}, process.extras_json));
  }
  return {};
}

}  // namespace

Result<Release> Releases::create(AppId app, const ReleaseSpec& spec) {
  return database_.transaction([&]() -> Result<Release> {
    Release release{app, 0, ReleaseState::kPending, clock_.now_unix_ms(), std::nullopt, spec};
    DAVIT_TRY_ASSIGN(release.version, next_version(database_, app));
    DAVIT_TRY_ASSIGN(const auto id, insert_release(database_, release));
    DAVIT_TRY(insert_parts(database_, id, spec));
    return release;
  });
}

Result<Release> Releases::get(AppId app, std::uint32_t version) {
  DAVIT_TRY_ASSIGN(auto release, complete(database_, database_.first(DAVIT_RELEASE_COLUMNS
                                                                     "WHERE app = ?1 AND version = ?2",
                                                                     read_release, app, version)));
  if (!release) return fail(release_not_found(version));
  return std::move(*release);
}

Result<std::optional<Release>> Releases::current(AppId app) {
  return complete(database_, database_.first(DAVIT_RELEASE_COLUMNS "WHERE app = ?1 AND state = 'live'",
                                             read_release, app));
}

Result<std::optional<Release>> Releases::newest_usable(AppId app) {
  // A pending one counts only while it is newer than the live one; superseded ones are older by nature,
  // except after a restart of an old release, where the live one is the answer.
  return complete(database_,
                  database_.first(DAVIT_RELEASE_COLUMNS
                                  "WHERE app = ?1 AND state IN ('live', 'pending') ORDER BY version DESC "
                                  "LIMIT 1",
                                  read_release, app));
}

Result<std::optional<std::uint32_t>> Releases::previous_live(AppId app) {
  return database_.first(
      "SELECT version FROM releases WHERE app = ?1 AND live_seq IS NOT NULL AND state <> 'live' "
      "ORDER BY live_seq DESC LIMIT 1",
      read_version, app);
}

Result<std::vector<ReleaseSummary>> Releases::list(AppId app, std::size_t limit) {
  return database_.collect(
      "SELECT version, state, created_at_ms, last_live_at_ms, artifact_kind, artifact_ref, artifact_digest, "
      "artifact_size_bytes, revision, builder, runtime, description, actor FROM releases WHERE app = ?1 "
      "ORDER BY version DESC LIMIT ?2",
      read_summary, app, limit == 0 ? kNoLimit : static_cast<std::int64_t>(limit));
}

Result<> Releases::mark_live(AppId app, std::uint32_t version) {
  return database_.transaction([&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const auto state, database_.first(
                                           "SELECT state FROM releases WHERE app = ?1 AND version = ?2",
                                           [](Row row) { return row.text(0); }, app, version));
    if (!state) return fail(release_not_found(version));
    if (*state == name_of(ReleaseState::kLive)) return {};
    DAVIT_TRY(
        database_.run("UPDATE releases SET state = 'superseded' WHERE app = ?1 AND state = 'live'", app));
    DAVIT_TRY(database_.run("UPDATE apps SET last_live_seq = last_live_seq + 1 WHERE id = ?1", app));
    DAVIT_TRY(database_.run(
        "UPDATE releases SET state = 'live', last_live_at_ms = ?3, "
        "live_seq = (SELECT last_live_seq FROM apps WHERE id = ?1) WHERE app = ?1 AND version = ?2",
        app, version, clock_.now_unix_ms()));
    return {};
  });
}

Result<> Releases::mark_failed(AppId app, std::uint32_t version) {
  DAVIT_TRY_ASSIGN(
      const auto changed,
      database_.run(
          "UPDATE releases SET state = 'failed' WHERE app = ?1 AND version = ?2 AND state <> 'live'", app,
          version));
  if (changed > 0) return {};
  DAVIT_TRY(get(app, version));
  return fail(Code::kConflict, fmt::format("Release v{} is live", version), {}, "release-live");
}

}  // namespace davit
