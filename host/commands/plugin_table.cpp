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
  CliProperty property{note.key, note.default_value.value_or(""), note.global, true, {}};
  if (note.type != SettingType::kStrings) {
    property.check = [type = note.type, values = note.values](std::string_view value) {
      return check_value(type, values, value);
    };
  }
  return property;
}

bool has_group(const std::vector<CliGroup>& groups, std::string_view name) {
  return std::ranges::any_of(groups, [&](const CliGroup& group) { return group.name == name; });
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
    if (ref.spec->group == group) properties.properties.push_back(from_note(*ref.spec));
  }
  return properties;
}

FullTable::FullTable(std::string_view program, const PluginCatalog* catalog) : program_(program) {
  for (const CoreGroup& group : core_groups()) {
    groups_.push_back(group.help);
    for (const CoreCommand& command : group.commands()) commands_.push_back(command.spec);
  }
  if (catalog != nullptr) add_plugins(*catalog);
  std::ranges::sort(groups_, {}, &CliGroup::name);
  std::ranges::sort(commands_, {}, &CliCommand::name);
}

void FullTable::add_plugins(const PluginCatalog& catalog) {
  for (const CatalogEntry* plugin : catalog.usable()) {
    for (const auto& [name, line] : plugin->note.groups) {
      if (!has_group(groups_, name)) groups_.push_back({name, line});
    }
  }
  for (const PluginCatalog::CommandRef& ref : catalog.commands()) {
    if (find_core_command(ref.spec->name) != nullptr) continue;
    PluginCommand& command = plugin_commands_.emplace_back(from_note(*ref.spec));
    command.spec.flags = command.flags;
    if (!has_group(groups_, group_name(command.spec.name))) {
      groups_.push_back({group_name(command.spec.name), ref.plugin->summary});
    }
    commands_.push_back(command.spec);
  }
  for (const std::string& kind : service_kinds(catalog)) {
    for (const ServiceVerb& verb : service_verbs()) {
      const std::string& name = texts_.emplace_back(fmt::format("{}:{}", kind, verb.spec.name));
      if (catalog.command(name)) continue;
      commands_.push_back(verb.spec);
      commands_.back().name = name;
    }
    const CatalogEntry* plugin = catalog.find(kind);
    if (!has_group(groups_, plugin->id)) groups_.push_back({plugin->id, plugin->summary});
  }
  std::string_view last_group;
  for (const PluginCatalog::PropertyRef& ref : catalog.properties()) {
    if (ref.spec->group == last_group) continue;
    last_group = ref.spec->group;
    for (const std::string_view verb : {"set", "report"}) {
      const std::string& name = texts_.emplace_back(fmt::format("{}:{}", last_group, verb));
      if (find_core_command(name) != nullptr || catalog.command(name)) continue;
      commands_.push_back(verb == "set" ? property_set_spec(name) : property_report_spec(name));
    }
    if (!has_group(groups_, last_group)) groups_.push_back({last_group, ref.plugin->summary});
  }
}

}  // namespace davit
