// What the plugin says of the machine: describe() for reports, examine() for `davit doctor`.
#pragma once

#include <string>

#include "config.hpp"
#include "davit/commands.hpp"
#include "firewall.hpp"
#include "machine.hpp"

namespace davit::process_plugin {

/// "cgroup2", "cgroup1" or "none": where limits of memory, CPU and processes would be enforced.
std::string limits_kind();

/// isolation, isolation-reason, limits, firewall, user.
sdk::Pairs describe_machine(const Config& config, const Verdict& verdict, const Firewall& firewall);

/// Tries the sandbox anew.
void examine_machine(const sdk::Call& call, const sdk::Findings& findings, const Config& config,
                     Machine& machine, const Firewall& firewall);

}  // namespace davit::process_plugin
