// Help: texts made from the command table, and the messages about commands that do not exist.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/cli_command.hpp"

namespace davit {

/// Everything that help, completion and the man page are made of. Borrowed views.
struct CommandTable {
  std::string_view program;              ///< "davit", or "dokku" when called so
  std::span<const CliGroup> groups;      ///< sorted by name
  std::span<const CliCommand> commands;  ///< sorted by name
};

/// `davit help`: the groups with their first lines. `all`: every command instead.
std::string help_overview(const CommandTable& table, bool all);
/// `GROUP:help`: "Manage apps", usage and the commands of the group. "" if there is no such group.
std::string help_group(const CommandTable& table, std::string_view group);
/// `COMMAND --help`: usage, summary, flags.
std::string help_command(const CommandTable& table, const CliCommand& command);
/// The two lines for a command that does not exist, without the " !     ".
std::string unknown_command(std::string_view program, std::string_view name);

/// A completion script. `shell` is "bash" or "zsh"; "" for others. App names are asked for when the user
/// presses tab.
std::string completion_script(const CommandTable& table, std::string_view shell);
/// davit.1, as roff.
std::string man_page(const CommandTable& table, std::string_view version);

}  // namespace davit
