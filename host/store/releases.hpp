// Releases: the immutable versions v1, v2, ... of an app: artifact, config, process types and checks.
// Only the state of a release changes after it was made. A rollback makes a new release from an old one's
// spec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "store/config.hpp"
#include "store/formation.hpp"
#include "store/types.hpp"

namespace davit {

class Database;

enum class ArtifactKind { kNone, kSlug, kImage };
enum class ReleaseState { kPending, kLive, kSuperseded, kFailed };
std::string_view name_of(ArtifactKind kind);   ///< "none", "slug", "image"
std::string_view name_of(ReleaseState state);  ///< "pending", "live", "superseded", "failed"

struct Artifact {
  ArtifactKind kind = ArtifactKind::kNone;
  std::string ref;     ///< a slug's file relative to the home, an image's name
  std::string digest;  ///< "sha256:..."
  std::uint64_t size_bytes = 0;
};

struct ReleaseProcess {
  std::string type;                        ///< "web"
  std::string command;                     ///< the Procfile's line, as its author wrote it
  std::vector<std::string> launcher_argv;  ///< what goes before or around the command
  std::string extras_json;                 ///< per-type settings as a JSON object; "" for none
};

/// What makes a release; everything here is immutable once stored.
struct ReleaseSpec {
  Artifact artifact;
  std::string revision;  ///< git commit id, or ""
  std::string source;    ///< "git push main", "archive ..."
  std::string runtime;   ///< id of the plugin that runs it
  std::string builder;   ///< id of the plugin that built it
  std::string stack;
  ConfigMap config;  ///< the app's and the global config of that time; no variables of links
  std::vector<ReleaseProcess> processes;  ///< in the Procfile's order
  std::string checks_json;
  Quantities formation;              ///< recorded, restored only on demand
  std::vector<std::string> domains;  ///< recorded, restored only on demand
  std::string description;           ///< "Deploy abc1234", "Set FOO, BAR config vars", "Rollback to v3"
  std::string actor;
};

struct Release {
  AppId app{};
  std::uint32_t version = 0;  ///< from 1, without gaps, per app
  ReleaseState state = ReleaseState::kPending;
  UnixMs created_at_ms = 0;
  std::optional<UnixMs> last_live_at_ms;  ///< when it last became live; empty: never was
  ReleaseSpec spec;
};

/// A line of `releases:list`: the release without its config and processes.
struct ReleaseSummary {
  std::uint32_t version = 0;
  ReleaseState state = ReleaseState::kPending;
  UnixMs created_at_ms = 0;
  std::optional<UnixMs> last_live_at_ms;
  Artifact artifact;
  std::string revision;
  std::string builder;
  std::string runtime;
  std::string description;
  std::string actor;
};

/// Threads: those of its Store.
class Releases {
 public:
  Releases(Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  /// The next version, pending. "app-not-found".
  Result<Release> create(AppId app, const ReleaseSpec& spec);
  /// NotFound "release-not-found" (`Release vN does not exist`).
  Result<Release> get(AppId app, std::uint32_t version);
  /// The live one.
  Result<std::optional<Release>> current(AppId app);
  /// The newest that did not fail: the live one, or a pending one made by `config:set --no-restart`.
  Result<std::optional<Release>> newest_usable(AppId app);
  /// The version that was live before the live one: what a rollback without an argument takes.
  Result<std::optional<std::uint32_t>> previous_live(AppId app);
  /// Newest first; limit 0: all.
  Result<std::vector<ReleaseSummary>> list(AppId app, std::size_t limit = 0);

  /// This one is live, and the one before it superseded: one transaction. Again for the live one: nothing
  /// changes.
  Result<> mark_live(AppId app, std::uint32_t version);
  /// A pending release that never got there. Conflict "release-live" for the live one.
  Result<> mark_failed(AppId app, std::uint32_t version);

  /// Versions that retention may drop, oldest first: neither live nor newer than the live one, nor the
  /// rollback's target, nor used by a live group or an unfinished deployment, nor among the `keep` newest
  /// that did not fail.
  Result<std::vector<std::uint32_t>> expendable(AppId app, std::size_t keep);
  /// Forgets them; a live one is refused with Conflict "release-live". Files are the caller's to delete.
  Result<> forget(AppId app, const std::vector<std::uint32_t>& versions);
  /// Refs of every artifact that some release still needs, sorted: a slug file not among them may go.
  Result<std::vector<std::string>> artifact_refs(AppId app);

 private:
  Database& database_;
  const Clock& clock_;
};

}  // namespace davit
