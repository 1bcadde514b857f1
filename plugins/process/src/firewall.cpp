// See firewall.hpp.
#include "firewall.hpp"

#include <pwd.h>
#include <unistd.h>

#include <cstdio>

#include "trees.hpp"

namespace davit::process_plugin {
namespace {

std::string list_of(const std::set<std::uint32_t>& numbers) {
  std::string text;
  for (const std::uint32_t number : numbers) text += (text.empty() ? "" : ", ") + std::to_string(number);
  return text;
}

}  // namespace

std::string firewall_table(const std::string& home) {
  std::uint32_t hash = 2166136261U;  // FNV-1a: a short name, not a secret
  for (const char c : home) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  char text[16];
  std::snprintf(text, sizeof text, "%08x", hash);
  return std::string("davit_") + text;
}

std::string firewall_script(const std::string& table, const std::set<std::uint32_t>& ports,
                            const std::set<std::uint32_t>& uids) {
  std::string script = "add table inet " + table + "\ndelete table inet " + table + "\n";
  if (ports.empty()) return script;
  script += "table inet " + table + " {\n  set instance_ports {\n    type inet_service\n    elements = { " +
            list_of(ports) + " }\n  }\n";
  // New connections only: an answer has the instance's port as its source, and must pass.
  script +=
      "  chain output {\n    type filter hook output priority filter; policy accept;\n"
      "    oifname \"lo\" tcp dport @instance_ports tcp flags & (fin | syn | rst | ack) == syn meta skuid != "
      "{ " +
      list_of(uids) + " } reject with tcp reset\n  }\n}\n";
  return script;
}

bool Firewall::enabled() const {
  return geteuid() == 0 && config_.firewall && access(config_.nft.c_str(), X_OK) == 0;
}

std::string Firewall::refresh(const sdk::Call& call) const {
  if (!enabled()) return {};
  const FileLock lock(records_.run() + "/firewall.lock", true);
  std::set<std::uint32_t> ports;
  for (const InstanceName& name : records_.instances()) {
    const auto record = records_.instance(name);
    if (record && record->port != 0) ports.insert(record->port);
  }
  return set(call, ports);
}

std::string Firewall::drop(const sdk::Call& call) const {
  if (!enabled()) return {};
  const FileLock lock(records_.run() + "/firewall.lock", true);
  return set(call, {});
}

std::string Firewall::set(const sdk::Call& call, const std::set<std::uint32_t>& ports) const {
  std::set<std::uint32_t> uids{0};
  for (const std::string& user : config_.firewall_users) {
    if (const passwd* account = getpwnam(user.c_str())) uids.insert(account->pw_uid);
  }
  sdk::Process nft;
  nft.argv = {config_.nft, "-f", "-"};
  nft.input = firewall_script(firewall_table(config_.home), ports, uids);
  nft.timeout_ms = 10'000;
  const sdk::ProcessResult result = host_.processes(call).capture(nft);
  if (result.exit_code == 0) return {};
  return "nft refused the table (exit code " + std::to_string(result.exit_code) + "): " + result.err;
}

}  // namespace davit::process_plugin
