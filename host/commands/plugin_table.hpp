// What enabled plugins add to the command line, from their notes: commands, first help lines, and GROUP:set
// and GROUP:report for the properties they declare. Nothing is loaded.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "cli/help.hpp"
#include "cli/properties.hpp"
#include "commands/session.hpp"
#include "plugin/catalog.hpp"

namespace davit {

/// A plugin's command as the command line sees it. Views point into the catalog.
struct PluginCommand {
  CliCommand spec;
  std::vector<CliFlag> flags;  ///< what spec.flags views
};

/// nullopt: no enabled plugin has it.
std::optional<PluginCommand> find_plugin_command(const PluginCatalog& catalog, std::string_view name);

/// The properties that plugins declare in a group ("nginx"), beside the core's own; empty: none.
PropertyGroup plugin_properties(const PluginCatalog& catalog, std::string_view group);

/// The whole table, for help, completion and the man page: the core's, and with a catalog the plugins'.
class FullTable {
 public:
  FullTable(std::string_view program, const PluginCatalog* catalog);
  /// Without a command: what `help` alone shows, which needs no note then.
  FullTable(std::string_view program, CommandGroups plugin_groups);
  FullTable(const FullTable&) = delete;
  FullTable& operator=(const FullTable&) = delete;
  [[nodiscard]] CommandTable view() const { return {program_, groups_, commands_}; }

 private:
  void add_commands(const PluginCatalog& catalog);
  void add_group(std::string_view name, std::string_view summary);  ///< unless there is one
  void add(const CliCommand& command);                              ///< unless the name is taken

  std::string_view program_;
  CommandGroups plugin_groups_;
  std::vector<CliGroup> groups_;
  std::vector<CliCommand> commands_;
  std::deque<PluginCommand> plugin_commands_;
  std::deque<std::string> texts_;
  std::unordered_set<std::string_view> group_names_, names_;
};

}  // namespace davit
