// Groups of instances on the host's supervision: what davit.runtime/1 says of apply, inspect, wait, stop,
// start and remove. Not tasks and exec: tasks.hpp.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "config.hpp"
#include "davit/host.hpp"
#include "davit/instances.hpp"
#include "firewall.hpp"
#include "machine.hpp"
#include "records.hpp"

namespace davit::process_plugin {

/// Threads: one at a time. Calls of different processes on one group must not overlap (the host's app lock).
class Instances {
 public:
  Instances(const sdk::Host& host, const Config& config, const Records& records, Machine& machine)
      : host_(host),
        config_(config),
        records_(records),
        machine_(machine),
        firewall_(host, config, records, machine) {}

  void apply(const sdk::Call& call, const sdk::Group& group);
  std::vector<sdk::Instance> inspect(const sdk::Call& call, const sdk::Selector& selector);
  void wait_change(const sdk::Call& call, const sdk::Selector& selector, std::uint64_t timeout_ms);
  void stop(const sdk::Call& call, const sdk::Selector& selector);
  void start(const sdk::Call& call, const sdk::Selector& selector);
  void remove(const sdk::Call& call, const sdk::Selector& selector, bool forget_logs);
  sdk::Strings list_owned(const sdk::Call& call);

  /// Where the logs of an owner's instances are, a folder each.
  [[nodiscard]] std::string log_folder(std::uint32_t owner_kind, const std::string& owner) const;
  [[nodiscard]] const Firewall& firewall() const { return firewall_; }
  /// Says so to the user if the firewall could not be set.
  void refresh_firewall(const sdk::Call& call) const;

 private:
  struct Plan;
  /// What of an instance's status is compared to see a change.
  struct Seen {
    std::uint32_t up = 0;
    std::uint32_t wanted_up = 0;
    std::int32_t pid = 0;
    std::uint32_t exits = 0;
    friend bool operator==(const Seen&, const Seen&) = default;
  };
  using SeenMap = std::map<std::string, Seen>;

  void check(const sdk::Group& group) const;
  Plan plan_for(const sdk::Call& call, const sdk::Group& group);
  /// GROUP_KEEP, and it executes.
  [[nodiscard]] bool is_kept(const sdk::Call& call, const sdk::Group& group, const InstanceName& name) const;
  /// Folder and port; nothing runs yet. `made` gets the ids that were not there before.
  sdk::Unit prepare_instance(const sdk::Call& call, const Plan& plan, const InstanceName& name,
                             std::set<std::string>& made);
  /// What its record is to be, but for the port.
  InstanceRecord prepare_folder(const sdk::Call& call, const Plan& plan, const InstanceName& name,
                                std::set<std::string>& made);
  sdk::Unit unit_for(const Plan& plan, const InstanceName& name, std::uint32_t port) const;
  sdk::Pairs environment_for(const Plan& plan, const InstanceName& name, std::uint32_t port) const;
  void shape_sandboxed(sdk::Unit& unit, const Plan& plan, const InstanceName& name,
                       const sdk::Pairs& env) const;
  void shape_plain(sdk::Unit& unit, const Plan& plan, const InstanceName& name, const sdk::Pairs& env) const;
  void take_down(const sdk::Call& call, const std::vector<InstanceName>& names) const;
  void forget_instance(const sdk::Call& call, const InstanceName& name) const;

  /// Instances that are selected and known by a folder or a unit.
  std::vector<InstanceName> select(const sdk::Call& call, const sdk::Selector& selector) const;
  [[nodiscard]] bool of_kind(const sdk::Selector& selector, const InstanceName& name) const;
  SeenMap look(const sdk::Call& call, const sdk::Selector& selector) const;

  const sdk::Host& host_;
  const Config& config_;
  const Records& records_;
  Machine& machine_;
  Firewall firewall_;
  SeenMap seen_;  ///< what the last inspect reported
};

}  // namespace davit::process_plugin
