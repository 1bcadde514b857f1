// HealthState: what the health watch found of an app's live instances, as the store keeps it: who gets no
// requests and why, and who is being started again. Routes and reports go by it; only the watch writes it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/capability.hpp"
#include "store/store.hpp"

namespace davit {

struct InstanceHealth {
  bool ready = true;
  bool restarting = false;  ///< the watch has stopped it, and is to start it again
  unsigned restarts = 0;    ///< by the watch, since the deployment
  UnixMs since_ms = 0;      ///< of `ready`
  std::string problem;      ///< why it is not ready, or was started again last
  friend bool operator==(const InstanceHealth&, const InstanceHealth&) = default;
};

struct HealthState {
  std::string revision;
  std::map<std::string, InstanceHealth, std::less<>>
      instances;  ///< by "web.1"; those without news are not here
};

/// "web.1"
std::string short_name(const Instance& instance);

/// Empty for a revision other than this one, and for a record that cannot be read.
HealthState read_health(Store& store, AppId app, std::string_view revision);
Result<> write_health(Store& store, AppId app, const HealthState& state);
/// With a switch: what was found of the old instances says nothing of the new ones.
Result<> forget_health(Store& store, AppId app);

/// Those that may get requests: the ready ones; all of them, if none is.
std::vector<Instance> routable(const HealthState& state, std::vector<Instance> instances);

}  // namespace davit
