// Retention: how much of an app's past is kept, and what a finished deployment lets go of. What takes place
// besides (caches, old logs, leftovers) is system:collect's: collect.hpp.
#pragma once

#include <cstdint>

#include "lifecycle/run.hpp"

namespace davit {

/// retention:set, of the app or global. 0 of the last three: no limit.
struct RetentionRules {
  std::uint64_t releases = 10;      ///< besides those that are needed anyway (Releases::expendable)
  std::uint64_t deployments = 100;  ///< and their logs
  std::uint64_t cache_days = 30;    ///< build caches that no build has touched for so long go
  std::uint64_t cache_mib = 0;      ///< build caches that are larger go
  std::uint64_t log_days = 30;      ///< logs of instances that are gone
};
RetentionRules retention_rules(Store& store, AppId app);

/// Best effort: what fails is a warning.
void apply_retention(DeploymentRun& run);

}  // namespace davit
