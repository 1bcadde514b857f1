// Mounts: which folders of the host an app's instances see, and where. What may be mounted is the commands'
// to decide (lifecycle/storage.hpp has the rules); the store keeps what it is given.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "store/types.hpp"

namespace davit {

class Database;

struct StorageMount {
  std::string source;  ///< a name below storage/ (no slash), or an absolute path
  std::string target;  ///< absolute, inside
  bool read_only = false;
  bool shared = false;    ///< two releases at once may have it
  bool confined = false;  ///< asked for over ssh: its path may not become a link
  friend bool operator==(const StorageMount&, const StorageMount&) = default;
};

struct AppMount {
  AppId app{};
  std::string app_name;
  StorageMount mount;
};

/// Threads: those of its Store. An app that is gone: NotFound "app-not-found" when writing.
class Mounts {
 public:
  explicit Mounts(Database& database) : database_(database) {}

  /// Conflict "mount-exists" when something is mounted at that target already.
  Result<> add(AppId app, const StorageMount& mount);
  /// Returns whether there was one.
  Result<bool> remove(AppId app, std::string_view source, std::string_view target);
  /// Sorted by target.
  Result<std::vector<StorageMount>> of_app(AppId app);
  /// Of every app, sorted by app's name and target.
  Result<std::vector<AppMount>> all();

 private:
  Database& database_;
};

}  // namespace davit
