// The plugin's settings and folders, read once at start. Values only.
#pragma once

#include <cstdint>
#include <string>

#include "davit/host.hpp"

namespace davit::process_plugin {

enum class IsolationWish { kAuto, kBubblewrap, kNone };

struct Config {
  std::string run;       ///< scratch of the plugin: records and copies
  std::string app_logs;  ///< logs/apps
  std::string logs;      ///< the plugin's own: logs of services' groups
  std::string libexec;   ///< davit-sandbox, davit-init
  std::string home;
  IsolationWish isolation = IsolationWish::kAuto;
  std::string bwrap;
  std::string nft;
  bool firewall = true;
  sdk::Strings firewall_users;  ///< accounts that may reach instances besides root
  sdk::Strings show;            ///< more of the machine, read-only
  std::uint64_t tmp_bytes = 0;
  std::uint64_t log_file_bytes = 0;
  std::uint32_t log_files = 0;
};

Config read_config(const sdk::Host& host, const sdk::Call& call);

}  // namespace davit::process_plugin
