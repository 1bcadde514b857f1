// What enabled plugins add: see the header.
#include "commands/plugin_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "commands/property_commands.hpp"
#include "commands/services.hpp"
#include "commands/table.hpp"

namespace davit {
namespace {

PluginCommand from_note(const CommandSpec& note) {
  PluginCommand command;
  for (const FlagSpec& flag : note.flags) {
    const char letter = flag.name.size() == 1 ? flag.name.front() : '\0';  // -n as well as --n
    command.flags.push_back({flag.name, flag.value, flag.summary, letter});
  }
  command.spec = {.name = note.name,
                  .usage = note.usage,
                  .summary = note.summary,
                  .app = note.app ? AppArgument::kExisting : AppArgument::kNone,
                  .minimum_args = 0,  // the worker counts: it knows which words are values of flags
                  .maximum_args = kAnyCount,
                  .unknown_flags = UnknownFlags::kPassOn};
  return command;
}

CliProperty from_note(const PropertySpec& note) {
  const auto check = [type = note.type, values = note.values](std::string_view value) {
    return check_value(type, values, value);
  };
  return {note.key, note.default_value.value_or(""), note.global, true, check, note.summary};
}

/// A list is not one value: the plugin that declares it has commands of its own for it.
bool is_settable(const PropertySpec& property) {
  return property.type != SettingType::kStrings;
}

}  // namespace

std::optional<PluginCommand> find_plugin_command(const PluginCatalog& catalog, std::string_view name) {
  const auto found = catalog.command(name);
  if (!found) return std::nullopt;
  return from_note(*found->spec);
}

PropertyGroup plugin_properties(const PluginCatalog& catalog, std::string_view group) {
  PropertyGroup properties{std::string(group), std::string(group), {}};
  for (const PluginCatalog::PropertyRef& ref : catalog.properties()) {
    if (ref.spec->group == group && is_settable(*ref.spec))
      properties.properties.push_back(from_note(*ref.spec));
  }
  return properties;
}

FullTable::FullTable(std::string_view program, CommandGroups plugin_groups)
    : program_(program), plugin_groups_(std::move(plugin_groups)) {
  for (const CoreGroup& group : core_groups()) add_group(group.help.name, group.help.summary);
  for (const auto& [name, line] : plugin_groups_) add_group(name, line);
  std::ranges::sort(groups_, {}, &CliGroup::name);
}

FullTable::FullTable(std::string_view program, const PluginCatalog* catalog)
    : FullTable(program, catalog != nullptr ? catalog->groups() : CommandGroups()) {
  for (const CoreGroup& group : core_groups()) {
    for (const CoreCommand& command : group.commands()) add(command.spec);
  }
  if (catalog != nullptr) add_commands(*catalog);
  std::ranges::sort(commands_, {}, &CliCommand::name);
}

void FullTable::add_group(std::string_view name, std::string_view summary) {
  if (group_names_.insert(name).second) groups_.push_back({name, summary});
}

void FullTable::add(const CliCommand& command) {
  if (names_.insert(command.name).second) commands_.push_back(command);
}

/// The first of a name is it: the core's commands, then what plugins state, then what comes with services and
/// properties.
void FullTable::add_commands(const PluginCatalog& catalog) {
  const auto plugins = catalog.usable();
  for (const CatalogEntry* plugin : plugins) {
    for (const CommandSpec& note : plugin->note.commands) {
      PluginCommand& command = plugin_commands_.emplace_back(from_note(note));
      command.spec.flags = command.flags;
      add(command.spec);
    }
  }
  for (const std::string& kind : service_kinds(catalog)) {
    for (const ServiceVerb& verb : service_verbs()) {
      CliCommand command = verb.spec;
      command.name = texts_.emplace_back(fmt::format("{}:{}", kind, verb.spec.name));
      add(command);
    }
  }
  for (const CatalogEntry* plugin : plugins) {
    std::string_view last;
    for (const PropertySpec& property : plugin->note.properties) {
      if (property.group == last || !is_settable(property)) continue;
      last = property.group;
      add(property_set_spec(texts_.emplace_back(fmt::format("{}:set", last))));
      add(property_report_spec(texts_.emplace_back(fmt::format("{}:report", last))));
    }
  }
}

}  // namespace davit
