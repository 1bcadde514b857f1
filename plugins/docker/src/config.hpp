// What the plugin was told: folders, settings, and who its containers run as.
#pragma once

#include <cstdint>
#include <string>

#include "davit/host.hpp"
#include "engine/labels.hpp"

namespace davit::docker_plugin {

using namespace docker;  // the engine's client, plugins/common/engine

struct Config {
  std::string home_id;  ///< of labels and names: from the home's path
  std::string home;
  std::string state;
  std::string run;
  std::string app_logs;
  std::string libexec;
  std::string socket;
  std::string default_stack;
  std::string build_network;  ///< "app" or "host"
  std::string address_pool;   ///< "10.88.0.0/16", or empty: the engine chooses
  sdk::Strings networks;      ///< of others, that apps may join all the same
  std::string mmdebstrap;
  std::uint64_t log_file_bytes = 0;
  std::uint32_t log_files = 0;
  bool read_only = false;
};

Config read_config(const sdk::Host& host, const sdk::Call& call);

/// The user inside slugs' containers and tasks, the same number as outside.
struct RunUser {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  [[nodiscard]] std::string text() const { return std::to_string(uid) + ":" + std::to_string(gid); }
};

/// The app user of the home: [host] app_user if root owns it, else the owner. Throws where that is root.
RunUser find_app_user(const sdk::Host& host, const sdk::Call& call);

}  // namespace davit::docker_plugin
