// See config.hpp; the keys are declared in plugin.toml.
#include "config.hpp"

#include <unistd.h>

#include <cstdio>

#include "engine/engine_address.hpp"

namespace davit::docker_plugin {

Config read_config(const sdk::Host& host, const sdk::Call& call) {
  const sdk::Paths paths = host.paths(call);
  const sdk::Settings settings = host.settings(call);
  Config config;
  config.home = paths.home();
  config.home_id = home_id_of(config.home);
  config.state = paths.state();
  config.run = paths.run();
  config.app_logs = paths.app_logs();
  config.libexec = paths.libexec();
  config.socket = choose_socket(settings.get_or("socket", ""), usual_sockets());
  config.default_stack = settings.get_or("stack", "debian-12");
  config.build_network = settings.get_or("build-network", "app");
  config.address_pool = settings.get_or("address-pool", "");
  config.networks = settings.items("networks");
  config.mmdebstrap = settings.get_or("mmdebstrap", "/usr/bin/mmdebstrap");
  config.log_file_bytes = settings.size_bytes("log-file-size", 10ULL << 20);
  config.log_files = static_cast<std::uint32_t>(settings.integer("log-files", 5));
  config.read_only = settings.boolean("read-only", false);
  return config;
}

RunUser find_app_user(const sdk::Host& host, const sdk::Call& call) {
  RunUser user{geteuid(), getegid()};
  if (geteuid() != 0) return user;
  sdk::Process id;
  id.argv = {"/usr/bin/id"};
  id.user = "app";
  const sdk::ProcessResult result = host.processes(call).capture(id);
  // "uid=61234(app) gid=61234(app) groups=..."; the names are missing for a uid without an account
  const std::size_t group = result.out.find(" gid=");
  const bool read = group != std::string::npos && std::sscanf(result.out.c_str(), "uid=%u", &user.uid) == 1 &&
                    std::sscanf(result.out.c_str() + group, " gid=%u", &user.gid) == 1;
  if (result.exit_code != 0 || !read) {
    throw sdk::Failure(DAVIT_UNAVAILABLE, "app-user",
                       "cannot become the app user: " + result.err.substr(0, 200),
                       "check app_user under [host] in plugins.toml");
  }
  if (user.uid == 0) {
    throw sdk::Failure(DAVIT_DENIED, "app-user", "the app user is root",
                       "choose another app_user under [host] in plugins.toml");
  }
  return user;
}

}  // namespace davit::docker_plugin
