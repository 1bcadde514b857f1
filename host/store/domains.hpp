// Domains: the host names that belong to an app, and the global ones from which default names are made.
// Not routes: a proxy gets those from the lifecycle.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "store/types.hpp"

namespace davit {

class Database;

struct DomainOwner {
  AppId app{};
  std::string app_name;
  std::string domain;
};

/// A domain belongs to one app at most (Conflict "domain-taken", which names the app). In the global scope a
/// domain is a suffix (apps answer at APP.DOMAIN), so it does not collide with an app's. Names derived from
/// it are made, and checked for collisions, by the caller, with owner_of(). Threads: those of its Store. Bad
/// names: Invalid "domain-invalid". An app that is gone: NotFound "app-not-found".
class Domains {
 public:
  explicit Domains(Database& database) : database_(database) {}

  /// In the order in which they were added.
  Result<std::vector<std::string>> list(AppId scope);
  /// All or none; one that the scope has already stays where it is.
  Result<> add(AppId scope, const std::vector<std::string>& domains);
  /// All or none. NotFound "domain-not-found" names the first one that the scope does not have.
  Result<> remove(AppId scope, const std::vector<std::string>& domains);
  /// Just these, in this order.
  Result<> assign(AppId scope, const std::vector<std::string>& domains);
  Result<> clear(AppId scope);
  /// Whether the app wants virtual hosts at all; true from the start.
  Result<bool> enabled(AppId app);
  Result<> set_enabled(AppId app, bool enabled);
  /// Exact match; a wildcard is found by its own text only.
  Result<std::optional<DomainOwner>> owner_of(std::string_view domain);

 private:
  Database& database_;
};

}  // namespace davit
