// See firewall.hpp.
#include "firewall.hpp"

#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "trees.hpp"

namespace davit::process_plugin {
namespace {

bool somebody_listens(std::uint32_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return true;
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const bool taken = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0;
  close(fd);
  return taken;
}

bool is_gone(const std::string& home) {
  struct stat facts {};
  return !home.empty() && lstat(home.c_str(), &facts) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

}  // namespace

bool Firewall::enabled() const {
  return geteuid() == 0 && config_.firewall && access(config_.nft.c_str(), X_OK) == 0;
}

std::string Firewall::refresh(const sdk::Call& call) const {
  if (!enabled()) return {};
  const FileLock lock(records_.run() + "/firewall.lock", true);
  FirewallDoor apps, services;
  for (const InstanceName& name : records_.instances()) {
    const auto record = records_.instance(name);
    if (!record || record->port == 0) continue;
    const bool service = record->owner_kind == DAVIT_OWNER_SERVICE;
    (service ? services : apps).ports.insert(record->port);
    if (service) services.uids.insert(record->uid);  // its own dumps and probes
  }
  // Apps, their builds and `run` are who a service is for.
  if (!services.ports.empty()) services.uids.insert(machine_.user(call, "").uid);
  give_way(call, apps.ports, services.ports);
  return set(call, std::move(apps), std::move(services));
}

// A port that is ours now is no other home's: unless somebody listens on it there.
void Firewall::give_way(const sdk::Call& call, std::set<std::uint32_t>& apps,
                        std::set<std::uint32_t>& services) const {
  const std::string own = firewall_table(config_.home);
  const std::vector<FirewallTable> all = tables(call);
  const auto ours = std::ranges::find(all, own, &FirewallTable::name);
  const auto was_ours = [&](std::uint32_t port) {
    return ours != all.end() && (ours->ports.contains(port) || ours->service_ports.contains(port));
  };
  for (const FirewallTable& table : all) {
    if (table.name == own) continue;
    std::set<std::uint32_t> theirs = table.ports;
    theirs.insert(table.service_ports.begin(), table.service_ports.end());
    std::set<std::uint32_t> taken;
    for (const std::uint32_t port : theirs) {
      if ((!apps.contains(port) && !services.contains(port)) || was_ours(port)) continue;
      if (somebody_listens(port)) {
        apps.erase(port);
        services.erase(port);
      } else {
        taken.insert(port);
      }
    }
    if (taken.empty()) continue;
    // That home may be changing its table just now: then the port is gone from there by itself.
    const std::string trouble = run(call, without_ports(table, taken));
    if (!trouble.empty()) call.log_warn("taking ports out of the table of " + table.home + ": " + trouble);
  }
}

std::string Firewall::drop(const sdk::Call& call) const {
  if (!enabled()) return {};
  const FileLock lock(records_.run() + "/firewall.lock", true);
  return set(call, {}, {});
}

Firewall::Swept Firewall::sweep(const sdk::Call& call) const {
  Swept swept;
  if (!enabled()) return swept;
  for (FirewallTable& table : tables(call)) {
    if (!is_gone(table.home)) continue;
    // It may be there for others: a folder that only one service sees. Then its instances listen.
    if (std::ranges::any_of(table.ports, somebody_listens) ||
        std::ranges::any_of(table.service_ports, somebody_listens)) {
      swept.kept.push_back(std::move(table));
    } else if (run(call, "delete table inet " + table.name + "\n").empty()) {
      swept.removed.push_back(std::move(table));
    }
  }
  return swept;
}

std::vector<FirewallTable> Firewall::tables(const sdk::Call& call) const {
  sdk::Process nft;
  nft.argv = {config_.nft, "list", "sets", "inet"};
  nft.timeout_ms = 10'000;
  const sdk::ProcessResult result = host_.processes(call).capture(nft);
  return result.exit_code == 0 ? read_tables(result.out) : std::vector<FirewallTable>{};
}

std::string Firewall::run(const sdk::Call& call, const std::string& script) const {
  sdk::Process nft;
  nft.argv = {config_.nft, "-f", "-"};
  nft.input = script;
  nft.timeout_ms = 10'000;
  const sdk::ProcessResult result = host_.processes(call).capture(nft);
  if (result.exit_code == 0) return {};
  return "nft refused the table (exit code " + std::to_string(result.exit_code) + "): " + result.err;
}

std::string Firewall::set(const sdk::Call& call, FirewallDoor apps, FirewallDoor services) const {
  apps.uids.insert(0);
  services.uids.insert(0);
  for (const std::string& user : config_.firewall_users) {
    if (const passwd* account = getpwnam(user.c_str())) apps.uids.insert(account->pw_uid);
  }
  return run(call, firewall_script(config_.home, apps.ports, apps.uids, services));
}

}  // namespace davit::process_plugin
