// What a container is made of, and its JSON for POST /containers/create. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "config.hpp"
#include "davit/instances.hpp"
#include "engine/options.hpp"
#include "names.hpp"
#include "terminal.hpp"

namespace davit::docker_plugin {

struct ContainerSpec {
  std::string image;
  sdk::Strings entrypoint;  ///< of an image that runs as it is; before argv
  sdk::Strings argv;
  sdk::Pairs env;
  std::string cwd;   ///< empty: the image's
  std::string user;  ///< "uid:gid"; empty: the image's, which may be root
  std::vector<sdk::Mount> mounts;
  sdk::Limits limits;
  Labels labels;
  std::string init_folder;  ///< on the host; holds davit-init
  std::string network;      ///< name, "host" or "none"
  std::vector<std::string> aliases;
  std::uint32_t host_port = 0;  ///< 0: does not listen
  bool all_interfaces = false;  ///< of this machine, instead of its loopback
  std::uint32_t inner_port = 0;
  std::uint32_t restart = DAVIT_RESTART_NEVER;
  std::uint32_t max_retries = 0;
  int stop_signal = 0;
  std::uint64_t stop_timeout_ms = 0;
  std::uint64_t log_file_bytes = 0;  ///< 0: output is not kept
  std::uint32_t log_files = 0;
  bool read_only = false;
  bool batch = false;  ///< gives way to those who answer requests
  bool tty = false;
  bool input = false;
  std::optional<WindowSize> window;
  std::vector<Option> options;
};

inline constexpr const char* kInitMount = "/run/davit";
inline constexpr const char* kInnerInit = "/run/davit/davit-init";
inline constexpr std::uint32_t kDefaultPort = 5000;  ///< PORT inside

nlohmann::json container_json(const ContainerSpec& spec);

/// The command line of a program under davit-init, for containers and for exec.
sdk::Strings init_words(int stop_signal, bool tty, const std::optional<WindowSize>& window);

/// Whole seconds, rounded up: the engine knows no smaller unit.
std::uint64_t stop_seconds(std::uint64_t stop_timeout_ms);

/// Stands for everything of a group but its count: an instance with another hash is replaced.
std::string group_hash(const sdk::Group& group, const std::string& user);

/// ["KEY=value", ...] as the API wants it.
nlohmann::json env_json(const sdk::Pairs& env);

}  // namespace davit::docker_plugin
