// LiveGroups: which instance groups of an app exist, by revision and process type, and which of them drain.
// The engine's own record of what it asked a runtime for; what really runs is the runtime's to inspect.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "store/types.hpp"

namespace davit {

class Database;

enum class GroupState { kLaunching, kLive, kDraining, kStopping };
std::string_view name_of(GroupState state);  ///< "launching", "live", "draining", "stopping"

struct LiveGroup {
  AppId app{};
  std::string app_name;  ///< read only: put() takes the app's own
  std::string revision;  ///< the deployment's id, "d17"
  std::string process_type;
  std::uint32_t release_version = 0;
  std::string runtime;  ///< id of the plugin that runs it
  std::uint32_t count = 0;
  GroupState state = GroupState::kLaunching;
  UnixMs since_ms = 0;  ///< in this state; set by the store
  /// The name that its instances carry: the app's when they were launched. put(): "" is the app's name of
  /// now; what was recorded first stays.
  std::string owner = {};
  std::string mounts_json = {};  ///< what they got (lifecycle/storage.hpp); put(): "" leaves it as it is
};

/// Threads: those of its Store. An app that is gone: NotFound "app-not-found" when writing.
class LiveGroups {
 public:
  LiveGroups(Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  /// Makes or changes the group of (app, revision, process type).
  Result<> put(const LiveGroup& group);
  /// All groups of a revision at once: web and workers change together.
  Result<> set_state(AppId app, std::string_view revision, GroupState state);
  /// `to` becomes live and whatever was live before drains: one transaction, the record of a switch.
  Result<> switch_to(AppId app, std::string_view to);
  Result<> remove(AppId app, std::string_view revision, std::string_view process_type);
  Result<> remove_revision(AppId app, std::string_view revision);

  /// Sorted by revision number, oldest first, then process type.
  Result<std::vector<LiveGroup>> of_app(AppId app);
  Result<std::vector<LiveGroup>> live(AppId app);
  Result<std::vector<LiveGroup>> all();
  /// Revisions that drain beyond the `keep` newest ones, oldest first: to be cut now.
  Result<std::vector<std::string>> draining_beyond(AppId app, std::size_t keep = 2);

 private:
  Database& database_;
  const Clock& clock_;
};

}  // namespace davit
