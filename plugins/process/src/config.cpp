// See config.hpp; the keys are declared in plugin.toml.
#include "config.hpp"

namespace davit::process_plugin {
namespace {

IsolationWish wish_of(const std::string& word) {
  if (word == "bubblewrap") return IsolationWish::kBubblewrap;
  if (word == "none") return IsolationWish::kNone;
  return IsolationWish::kAuto;
}

}  // namespace

Config read_config(const sdk::Host& host, const sdk::Call& call) {
  const sdk::Paths paths = host.paths(call);
  const sdk::Settings settings = host.settings(call);
  Config config;
  config.run = paths.run();
  config.app_logs = paths.app_logs();
  config.logs = paths.logs();
  config.libexec = paths.libexec();
  config.home = paths.home();
  config.isolation = wish_of(settings.get_or("isolation", "auto"));
  config.bwrap = settings.get_or("bwrap", "/usr/bin/bwrap");
  config.nft = settings.get_or("nft", "/usr/sbin/nft");
  config.firewall = settings.boolean("firewall", true);
  config.firewall_users = settings.items("firewall-users");
  if (config.firewall_users.empty()) config.firewall_users = {"www-data", "nobody"};
  config.show = settings.items("read-only-paths");
  config.tmp_bytes = settings.size_bytes("tmp-size", 512ULL << 20);
  config.log_file_bytes = settings.size_bytes("log-file-size", 10ULL << 20);
  config.log_files = static_cast<std::uint32_t>(settings.integer("log-files", 5));
  return config;
}

}  // namespace davit::process_plugin
