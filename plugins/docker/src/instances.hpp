// Groups of instances as containers: what davit.runtime/1 says of apply, inspect, wait, stop, start and
// remove. Not tasks and exec (tasks.hpp), not logs (logs.hpp).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "container_spec.hpp"
#include "containers.hpp"
#include "images.hpp"
#include "networks.hpp"
#include "records.hpp"
#include "saved_logs.hpp"

namespace davit::docker_plugin {

/// Threads: one at a time. Calls of different processes on one group must not overlap (the host's app lock).
class Instances {
 public:
  Instances(const Base& base, Images& images, Networks& networks, const Records& records,
            const SavedLogs& saved)
      : base_(base), images_(images), networks_(networks), records_(records), saved_(saved) {}

  void apply(const sdk::Call& call, const sdk::Group& group);
  std::vector<sdk::Instance> inspect(const sdk::Call& call, const sdk::Selector& selector);
  /// Its instances are healthy: they join the networks that are for such.
  void expose(const sdk::Call& call, const InstanceName& group);
  void wait_change(const sdk::Call& call, const sdk::Selector& selector, std::uint64_t timeout_ms);
  void stop(const sdk::Call& call, const sdk::Selector& selector);
  void start(const sdk::Call& call, const sdk::Selector& selector);
  void remove(const sdk::Call& call, const sdk::Selector& selector, bool forget_logs);
  sdk::Strings list_owned(const sdk::Call& call);
  /// system:stop: the engine goes on, and with it what is not stopped here. Instances of every owner.
  void halt_all(const sdk::Call& call);
  /// system:start: what halt_all() stopped runs again. One that does not is told and holds up no other.
  void resume_all(const sdk::Call& call);

 private:
  struct Plan;
  void check(const sdk::Group& group) const;
  Plan plan_for(const sdk::Call& call, const sdk::Group& group);
  [[nodiscard]] std::uint32_t inner_port(const sdk::Call& call, const sdk::Group& group,
                                         const RunnableImage& image) const;
  ContainerSpec spec_for(const sdk::Call& call, const Plan& plan, const InstanceName& name);
  /// Makes, mends or leaves one. The container's id if it was made by this call.
  std::string ensure(const sdk::Call& call, const Plan& plan, const InstanceName& name,
                     const std::vector<Found>& present);
  std::string create(const sdk::Call& call, const ContainerSpec& spec, const InstanceName& name);
  void take_live_name(const Found& container);
  void let_down(const sdk::Call& call, const Found& container,
                const std::function<void(const std::string& policy)>& write_down);
  /// Starts it, with the policy that it had.
  void wake(const sdk::Call& call, const std::string& id, const std::string& verb = "/start");
  void stop_containers(const std::vector<Found>& containers);
  void forget(const sdk::Call& call, const std::vector<Found>& containers, bool keep_logs);
  sdk::Instance look_at(const sdk::Call& call, const Found& found);
  std::int32_t last_exit_code(const sdk::Call& call, const std::string& id);

  const Base& base_;
  Images& images_;
  Networks& networks_;
  const Records& records_;
  const SavedLogs& saved_;
  std::int64_t looked_ns_ = 0;  ///< when the last inspect began: events since then were not seen
};

/// The list of options that the app has for a phase.
std::vector<Option> options_of(const sdk::Host& host, const sdk::Call& call, const std::string& app,
                               Phase phase);
/// The user of a group or task: the app user, or a number or account that is not root. Throws.
RunUser user_named(const RunUser& app_user, const std::string& name);
void own_mounts(const sdk::Host& host, const sdk::Call& call, const std::vector<sdk::Mount>& mounts,
                const RunUser& user);

}  // namespace davit::docker_plugin
