// Formation: how many instances of each process type an app wants.
// Only what somebody said: that web is 1 and others 0 by default is the caller's rule.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.hpp"
#include "store/types.hpp"

namespace davit {

class Database;

/// Process type to quantity, sorted by type.
using Quantities = std::map<std::string, std::uint32_t, std::less<>>;

/// Threads: those of its Store. An app that is gone: NotFound "app-not-found" when writing.
class Formation {
 public:
  explicit Formation(Database& database) : database_(database) {}

  Result<Quantities> get(AppId app);
  /// All or none; other types stay as they are. Invalid "process-type-invalid".
  Result<> set_many(AppId app, const Quantities& quantities);
  /// Just these (a rollback --with-scale).
  Result<> replace(AppId app, const Quantities& quantities);

 private:
  Database& database_;
};

}  // namespace davit
