// Instances' ports on loopback, closed to everyone but root and the proxy, in an nftables table of this
// home's own. Only for a home of root. Not a firewall of the machine: other tables are neither read nor
// changed.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "config.hpp"
#include "davit/host.hpp"
#include "records.hpp"

namespace davit::process_plugin {

/// The table's name: the same for the same home.
std::string firewall_table(const std::string& home);

/// What `nft -f -` is given: the whole table anew, or its removal when there are no ports. Pure.
std::string firewall_script(const std::string& table, const std::set<std::uint32_t>& ports,
                            const std::set<std::uint32_t>& uids);

/// Threads: one at a time; processes exclude each other by a lock.
class Firewall {
 public:
  Firewall(const sdk::Host& host, const Config& config, const Records& records)
      : host_(host), config_(config), records_(records) {}

  /// True if it is wanted and can be had: owner root, nft there, setting on.
  [[nodiscard]] bool enabled() const;
  /// Makes the table say what the records of instances say. Empty, or why it could not.
  std::string refresh(const sdk::Call& call) const;
  /// Takes the table away: nothing of this home listens any more, and its ports may be another home's tomorrow.
  std::string drop(const sdk::Call& call) const;

 private:
  std::string set(const sdk::Call& call, const std::set<std::uint32_t>& ports) const;

  const sdk::Host& host_;
  const Config& config_;
  const Records& records_;
};

}  // namespace davit::process_plugin
