// Apps: which apps exist, since when, and which are frozen.
// Not what they run (releases.hpp) nor how they are set (properties.hpp, config.hpp).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "store/types.hpp"

namespace davit {

class Database;

struct App {
  AppId id{};
  std::string name;
  UnixMs created_at_ms = 0;
  std::optional<UnixMs>
      locked_at_ms;       ///< apps:lock, a freeze that persists; not the lock of a running command
  bool deployed = false;  ///< has a live release
  /// Kept for it besides its name: what it is being renamed to, and after the switch what it was called; "":
  /// none.
  std::string other_name = {};
};

/// Threads: those of its Store. Errors besides the store's own are named at each function.
class Apps {
 public:
  Apps(Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  /// Invalid "app-name-invalid", or Conflict "name-taken" (`Name is already taken`).
  Result<App> create(std::string_view name);
  /// NotFound "app-not-found" (`App X does not exist`): the command line exits with 20 on this slug.
  Result<App> get(std::string_view name);
  Result<App> get(AppId app);
  Result<bool> exists(std::string_view name);
  /// Sorted by bytes.
  Result<std::vector<std::string>> names();
  Result<std::vector<App>> list();
  /// By its name, or by the one that is kept for it. As get() otherwise.
  Result<App> get_by_any_name(std::string_view name);
  /// As create() for the new name; "app-not-found" for a missing app. The id stays, its releases' slugs are
  /// those below the new name, and the old name is kept for it until reserve_name(nullopt).
  Result<> rename(AppId app, std::string_view new_name);
  /// Keeps a name for the app, as create() would take it: nobody else gets it until nullopt here.
  Result<> reserve_name(AppId app, const std::optional<std::string>& name);
  /// Gives `to` what is set for `from`: config, properties, lists, quantities, the plugins' own values. Not
  /// domains, mounts, releases, nor what says how it runs now.
  Result<> copy_settings(AppId from, AppId to);
  /// Removes the app and all rows that belong to it, in one transaction; deployments stay as history.
  /// Folders, instances and routes are the engine's to remove before. "app-not-found" when it is gone
  /// already.
  Result<> destroy(AppId app);
  /// Locking twice keeps the first time. "app-not-found".
  Result<> lock(AppId app);
  Result<> unlock(AppId app);

 private:
  Database& database_;
  const Clock& clock_;
};

/// The error of every place that would give a name twice.
[[nodiscard]] Error name_taken();
/// The error of every place that misses an app.
[[nodiscard]] Error app_not_found(std::string_view name);

}  // namespace davit
