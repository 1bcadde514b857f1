// The text of nftables tables that davit's homes have: what is written for one's own, what is read of all.
// Pure. Who runs nft is firewall.hpp's business.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace davit::process_plugin {

/// The table's name: the same for the same home.
std::string firewall_table(const std::string& home);

/// What one table says.
struct FirewallTable {
  std::string name;
  std::string home;                       ///< whose it is; "" in a table of before tables named their home
  std::set<std::uint32_t> ports;          ///< of instances of apps
  std::set<std::uint32_t> service_ports;  ///< of services
};

/// Ports, and the users who may connect to them.
struct FirewallDoor {
  std::set<std::uint32_t> ports;
  std::set<std::uint32_t> uids;
};

/// What `nft -f -` is given: the whole table anew, or its removal when there are no ports. The table names
/// its home in the comments of a set that no rule uses: a comment holds 128 bytes, a path may have more.
std::string firewall_script(const std::string& home, const std::set<std::uint32_t>& ports,
                            const std::set<std::uint32_t>& uids, const FirewallDoor& services = {});

/// Tables named davit_* in what `nft list sets inet` prints.
std::vector<FirewallTable> read_tables(std::string_view listing);

/// For `nft -f -`: these ports are no longer that table's.
std::string without_ports(const FirewallTable& table, const std::set<std::uint32_t>& ports);

}  // namespace davit::process_plugin
