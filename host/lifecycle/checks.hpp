// Checks: waiting until new instances are healthy, by events and deadlines, never by a fixed sleep.
#pragma once

#include <vector>

#include "lifecycle/run.hpp"

namespace davit {

/// The checks of a type: the release's own, else the default: a listening port for what listens, a short
/// uptime for the rest. Where they are disabled or skipped (checks:disable, checks:skip): the port, if it
/// listens, and nothing else.
std::vector<HealthCheck> checks_for(DeploymentRun& run, std::string_view process_type, bool listens);

/// The same whatever is disabled, of a release's record.
std::vector<HealthCheck> startup_checks(std::string_view checks_json, std::string_view process_type,
                                        bool listens);

/// In the lists of checks:disable and checks:skip, this stands for every process type.
inline constexpr std::string_view kEveryType = "_all_";
/// A list as the properties checks.disabled and checks.skipped have it: "web,worker" or "_all_".
bool lists_type(std::string_view list, std::string_view process_type);

/// How long an instance must run whose type does not listen, if nobody says.
inline constexpr std::uint64_t kDefaultUptimeMs = 1'000;

struct CheckTarget {
  Selector selector;                        ///< one group
  unsigned from_number = 1, to_number = 0;  ///< the instances in question, inclusive
  std::vector<HealthCheck> checks;
};

/// Waits until every instance in question passes every check. The ready instances of the group. kFailed, with
/// what was seen, when one exits twice, answers badly too often, or does not get there in time.
Result<std::vector<Instance>> wait_until_healthy(DeploymentRun& run, const CheckTarget& target);

}  // namespace davit
