// The table of the core's commands: data and a function for each, one file a group. Plugins' commands are not
// here: they come from notes.
#pragma once

#include <span>
#include <string_view>

#include "base/result.hpp"
#include "cli/arguments.hpp"
#include "cli/cli_command.hpp"

namespace davit {

class Session;

/// Does the command; the value is the exit code. What it was asked for goes to the session's output.
using Handler = Result<int> (*)(Session& session, const Arguments& args);

struct CoreCommand {
  CliCommand spec;
  Handler run = nullptr;
};

/// A group of the core: its help line and its commands.
struct CoreGroup {
  CliGroup help;
  std::span<const CoreCommand> (*commands)();
};

/// Sorted by name.
std::span<const CoreGroup> core_groups();
/// nullptr: no such command in the core.
const CoreCommand* find_core_command(std::string_view name);

// One function a group; each in the file of its name.
std::span<const CoreCommand> app_commands();
std::span<const CoreCommand> check_commands();
std::span<const CoreCommand> config_commands();
std::span<const CoreCommand> deploy_commands();
std::span<const CoreCommand> builds_commands();
std::span<const CoreCommand> domain_commands();
std::span<const CoreCommand> enter_commands();
std::span<const CoreCommand> git_commands();
std::span<const CoreCommand> log_commands();
std::span<const CoreCommand> plugin_commands();
std::span<const CoreCommand> process_commands();
std::span<const CoreCommand> release_commands();
std::span<const CoreCommand> resource_commands();
std::span<const CoreCommand> retention_commands();
std::span<const CoreCommand> run_commands();
std::span<const CoreCommand> ssh_key_commands();
std::span<const CoreCommand> service_image_commands();
std::span<const CoreCommand> storage_commands();
std::span<const CoreCommand> system_commands();
std::span<const CoreCommand> init_commands();
std::span<const CoreCommand> doctor_commands();
std::span<const CoreCommand> report_commands();
std::span<const CoreCommand> help_commands();
std::span<const CoreCommand> version_commands();
std::span<const CoreCommand> completion_commands();

}  // namespace davit
