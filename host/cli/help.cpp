// Help: see the header.
#include "cli/help.hpp"

#include <fmt/format.h>

#include <vector>

#include "cli/layout.hpp"

namespace davit {
namespace {

constexpr std::string_view kIndent = "    ";

std::string with_usage(const CliCommand& command) {
  return command.usage.empty() ? std::string(command.name)
                               : fmt::format("{} {}", command.name, command.usage);
}

std::string flag_text(const CliFlag& flag) {
  std::string text = flag.name.size() == 1 ? fmt::format("-{}", flag.name)
                     : flag.letter != 0    ? fmt::format("-{}, --{}", flag.letter, flag.name)
                                           : fmt::format("--{}", flag.name);
  if (!flag.value.empty()) text += fmt::format(" {}", flag.value);
  return text;
}

/// "" for a command without flags.
std::string flag_list(const CliCommand& command) {
  std::vector<std::vector<std::string>> rows;
  for (const CliFlag& flag : command.flags) rows.push_back({flag_text(flag), std::string(flag.summary)});
  return rows.empty() ? "" : columns(rows, kIndent);
}

std::string list_of(const CommandTable& table, std::string_view group) {
  std::vector<std::vector<std::string>> rows;
  for (const CliCommand& command : table.commands) {
    if (command.hidden || (!group.empty() && group_name(command.name) != group)) continue;
    rows.push_back({with_usage(command), std::string(command.summary)});
  }
  return columns(rows, kIndent);
}

}  // namespace

std::string help_overview(const CommandTable& table, bool all) {
  std::string text = fmt::format(
      "Usage: {} [--quiet] [--force] [--trace] [--safe-mode] [--app APP] COMMAND [<flags>] <app> "
      "[<arguments>]\n\n",
      table.program);
  if (all) return text + "Commands:\n\n" + list_of(table, {});
  std::vector<std::vector<std::string>> rows;
  for (const CliGroup& group : table.groups)
    rows.push_back({std::string(group.name), std::string(group.summary)});
  text += "Commands:\n\n" + columns(rows, kIndent);
  text +=
      fmt::format("\nSee `{0} GROUP:help` for the commands of a group, `{0} help --all` for all of them.\n",
                  table.program);
  return text;
}

std::string help_group(const CommandTable& table, std::string_view group) {
  for (const CliGroup& known : table.groups) {
    if (known.name != group) continue;
    const CliCommand* own = nullptr;  // `config` beside `config:set`: its flags have no other help
    bool has_verbs = false;
    for (const CliCommand& command : table.commands) {
      if (group_name(command.name) != group || command.hidden) continue;
      if (command.name == group) own = &command;
      has_verbs = has_verbs || command.name != group;
    }
    const std::string usage =
        has_verbs || own == nullptr ? fmt::format("{}[:COMMAND]", group) : with_usage(*own);
    std::string text = fmt::format("{}\n\nUsage: {} {}\n\nCommands:\n\n{}", known.summary, table.program,
                                   usage, list_of(table, group));
    if (own != nullptr && !own->flags.empty())
      text += fmt::format("\nFlags of {}:\n\n{}", group, flag_list(*own));
    return text;
  }
  return {};
}

std::string help_command(const CommandTable& table, const CliCommand& command) {
  std::string text = fmt::format("{}\n\nUsage: {} {}\n", command.summary, table.program, with_usage(command));
  if (command.flags.empty()) return text;
  return text + "\nFlags:\n\n" + flag_list(command);
}

std::string unknown_command(std::string_view program, std::string_view name) {
  return fmt::format("`{0}` is not a {1} command.\nSee `{1} help` for a list of commands", name, program);
}

}  // namespace davit
