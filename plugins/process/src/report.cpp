// See report.hpp.
#include "report.hpp"

#include <sys/statvfs.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "cgroup_base.hpp"

namespace davit::process_plugin {
namespace {

constexpr std::uint64_t kLowDiskBytes = 1ULL << 30;

std::string user_text(const RunUser& user) {
  return "uid " + std::to_string(user.uid) + ", gid " + std::to_string(user.gid);
}

void examine_sandbox(const sdk::Call& call, const sdk::Findings& findings, Machine& machine) {
  const Verdict& verdict = machine.examine(call);
  if (verdict.sandboxed) {
    findings.ok("apps run in bubblewrap sandboxes, as " + user_text(verdict.app_user));
    return;
  }
  findings.warning("apps run without a sandbox, as " + user_text(verdict.app_user) + ": " + verdict.reason,
                   "install bubblewrap and allow user namespaces (kernel.unprivileged_userns_clone, "
                   "user.max_user_namespaces, AppArmor's restriction of them)");
}

void examine_limits(const sdk::Findings& findings) {
  const std::string kind = limits_kind();
  if (kind != "none") {
    findings.ok("limits of memory, CPU and processes are enforced (" + kind + ")");
    return;
  }
  findings.warning("limits of memory, CPU and processes are not enforced: no writable control groups",
                   "run davit as root, or as a systemd service with Delegate=yes");
}

void examine_firewall(const sdk::Call& call, const sdk::Findings& findings, const Config& config,
                      const Firewall& firewall) {
  const char* open = "every local user can reach the instances' ports on 127.0.0.1, past the proxy";
  if (!config.firewall) return findings.warning(open, "set firewall = true under [plugins.process.settings]");
  if (geteuid() != 0) return findings.warning(open, "only a home owned by root can close them");
  if (!firewall.enabled()) return findings.warning(open, "install nftables");
  const std::string trouble = firewall.refresh(call);
  if (!trouble.empty())
    return findings.warning(std::string(open) + ": " + trouble, "check that the kernel has nf_tables");
  findings.ok("instances' ports are closed to all but root and the proxy (nftables table " +
              firewall_table(config.home) + ")");
  const Firewall::Swept swept = firewall.sweep(call);
  for (const FirewallTable& table : swept.removed) {
    findings.ok("the nftables table " + table.name + " of " + table.home + ", which is gone, is removed");
  }
  for (const FirewallTable& table : swept.kept) {
    findings.warning("the nftables table " + table.name + " closes ports of " + table.home +
                         ", which is gone, but something still listens there",
                     "stop it; or: nft delete table inet " + table.name);
  }
}

void examine_disk(const sdk::Findings& findings, const Config& config) {
  struct statvfs facts {};
  if (statvfs(config.run.c_str(), &facts) != 0) {
    findings.problem("the run folder " + config.run + " cannot be looked at", "check the disk of DAVIT_HOME");
    return;
  }
  const std::uint64_t free_bytes = static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize;
  const std::string free_text = std::to_string(free_bytes >> 20) + " MiB free for copies of slugs";
  if (free_bytes < kLowDiskBytes) {
    findings.warning("only " + free_text, "free some space: each instance has its own copy of its slug");
  } else {
    findings.ok(free_text);
  }
}

}  // namespace

std::string limits_kind() {
  std::ifstream table("/proc/self/mounts");
  std::string line;
  std::string kind = "none";
  while (std::getline(table, line)) {
    std::istringstream words(line);
    std::string device;
    std::string path;
    std::string type;
    std::string options;
    words >> device >> path >> type >> options;
    const bool memory1 = type == "cgroup" && ("," + options + ",").find(",memory,") != std::string::npos;
    if (memory1 && access(path.c_str(), W_OK) == 0) return "cgroup1";
    if (type != "cgroup2") continue;
    std::ifstream file(path + "/cgroup.controllers");
    std::string controllers;
    std::getline(file, controllers);
    if (controllers.find("memory") != std::string::npos && !sandbox::cgroup2_base(path).empty())
      kind = "cgroup2";
  }
  return kind;
}

sdk::Pairs describe_machine(const Config& config, const Verdict& verdict, const Firewall& firewall) {
  sdk::Pairs facts{{"isolation", verdict.sandboxed ? "bubblewrap" : "none"},
                   {"limits", limits_kind()},
                   {"firewall", firewall.enabled() ? "nftables" : "none"},
                   {"user", std::to_string(verdict.app_user.uid)},
                   {"run", config.run}};
  if (!verdict.sandboxed) facts.emplace_back("isolation-reason", verdict.reason);
  return facts;
}

void examine_machine(const sdk::Call& call, const sdk::Findings& findings, const Config& config,
                     Machine& machine, const Firewall& firewall) {
  for (const char* program : {"davit-sandbox", "davit-init"}) {
    const std::string path = config.libexec + "/" + program;
    if (access(path.c_str(), X_OK) != 0) findings.problem(path + " is missing", "install davit again");
  }
  for (const char* program : {"/usr/bin/tar", "/usr/bin/zstd"}) {
    if (access(program, X_OK) != 0)
      findings.problem(std::string(program) + " is missing", "install it: slugs need it");
  }
  examine_sandbox(call, findings, machine);
  examine_limits(findings);
  examine_firewall(call, findings, config, firewall);
  examine_disk(findings, config);
}

}  // namespace davit::process_plugin
