// Instances' ports on loopback, closed to everyone but root and the proxy, and services' ports, closed to
// everyone but root and apps, in an nftables table of this home's own. Only for a home of root. Not a
// firewall of the machine: of other tables only those of davit's other homes are read, and changed where such
// a home is gone or a port of its became ours.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "config.hpp"
#include "davit/host.hpp"
#include "firewall_text.hpp"
#include "machine.hpp"
#include "records.hpp"

namespace davit::process_plugin {

/// Threads: one at a time; processes exclude each other by a lock.
class Firewall {
 public:
  Firewall(const sdk::Host& host, const Config& config, const Records& records, Machine& machine)
      : host_(host), config_(config), records_(records), machine_(machine) {}

  /// True if it is wanted and can be had: owner root, nft there, setting on.
  [[nodiscard]] bool enabled() const;
  /// Makes the table say what the records of instances say. Empty, or why it could not. A port that another
  /// home's table still has, although nobody listens there, is taken out of that one; where somebody listens
  /// it is left to that home.
  std::string refresh(const sdk::Call& call) const;
  /// Takes the table away: nothing of this home listens any more, and its ports may be another home's
  /// tomorrow.
  std::string drop(const sdk::Call& call) const;

  /// Tables of homes that are not there any more.
  struct Swept {
    std::vector<FirewallTable> removed;
    std::vector<FirewallTable> kept;  ///< something still listens on a port of theirs
  };
  Swept sweep(const sdk::Call& call) const;

 private:
  [[nodiscard]] std::vector<FirewallTable> tables(const sdk::Call& call) const;
  std::string run(const sdk::Call& call, const std::string& script) const;
  void give_way(const sdk::Call& call, std::set<std::uint32_t>& apps,
                std::set<std::uint32_t>& services) const;
  std::string set(const sdk::Call& call, FirewallDoor apps, FirewallDoor services) const;

  const sdk::Host& host_;
  const Config& config_;
  const Records& records_;
  Machine& machine_;
};

}  // namespace davit::process_plugin
