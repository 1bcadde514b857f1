// Look-ups in the catalog; no plugin is loaded here.
#include "plugin/catalog.hpp"

#include <davit/runtime.h>
#include <davit/service.h>

#include <algorithm>
#include <tuple>
#include <unordered_set>

namespace davit {

const CatalogEntry* PluginCatalog::find(std::string_view id) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const CatalogEntry& entry) { return entry.id == id; });
  return found == entries_.end() ? nullptr : &*found;
}

std::vector<const CatalogEntry*> PluginCatalog::usable() const {
  std::vector<const CatalogEntry*> usable;
  for (const CatalogEntry& entry : entries_)
    if (entry.usable()) usable.push_back(&entry);
  return usable;
}

const CatalogEntry* PluginCatalog::first_problem() const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [](const CatalogEntry& entry) { return entry.enabled && entry.problem; });
  return found == entries_.end() ? nullptr : &*found;
}

std::optional<PluginCatalog::CommandRef> PluginCatalog::command(std::string_view name) const {
  for (const CatalogEntry& entry : entries_) {
    if (!entry.usable()) continue;
    if (const CommandSpec* spec = entry.note.command(name)) return CommandRef{&entry, spec};
  }
  return std::nullopt;
}

std::vector<PluginCatalog::CommandRef> PluginCatalog::commands() const {
  std::vector<CommandRef> commands;
  for (const CatalogEntry* entry : usable())
    for (const CommandSpec& spec : entry->note.commands) commands.push_back({entry, &spec});
  std::sort(commands.begin(), commands.end(), [](const CommandRef& left, const CommandRef& right) {
    return left.spec->name < right.spec->name;
  });
  return commands;
}

std::vector<PluginCatalog::PropertyRef> PluginCatalog::properties() const {
  std::vector<PropertyRef> properties;
  for (const CatalogEntry* entry : usable())
    for (const PropertySpec& spec : entry->note.properties) properties.push_back({entry, &spec});
  std::sort(properties.begin(), properties.end(), [](const PropertyRef& left, const PropertyRef& right) {
    return std::tie(left.spec->group, left.spec->key) < std::tie(right.spec->group, right.spec->key);
  });
  return properties;
}

std::optional<PluginCatalog::PropertyRef> PluginCatalog::property(std::string_view group,
                                                                  std::string_view key) const {
  for (const CatalogEntry& entry : entries_) {
    if (!entry.usable()) continue;
    for (const PropertySpec& spec : entry.note.properties)
      if (spec.group == group && spec.key == key) return PropertyRef{&entry, &spec};
  }
  return std::nullopt;
}

CommandGroups PluginCatalog::groups() const {
  CommandGroups groups;
  std::unordered_set<std::string_view> names;
  const auto add = [&](std::string_view name, const std::string& line) {
    if (names.insert(name).second) groups.emplace_back(name, line);
  };
  const auto plugins = usable();
  for (const CatalogEntry* plugin : plugins)
    for (const auto& [name, line] : plugin->note.groups) add(name, line);
  for (const CatalogEntry* plugin : plugins) {
    for (const CommandSpec& command : plugin->note.commands)
      add(std::string_view(command.name).substr(0, command.name.find(':')), plugin->summary);
    for (const PropertySpec& property : plugin->note.properties) add(property.group, plugin->summary);
    if (plugin->note.provides_interface(DAVIT_SERVICE_ID)) add(plugin->id, plugin->summary);
  }
  return groups;
}

std::vector<PluginCatalog::Subscriber> PluginCatalog::subscribers(std::string_view event) const {
  std::vector<Subscriber> subscribers;
  for (const CatalogEntry* entry : usable())
    for (const HookSpec& hook : entry->note.hooks)
      if (hook.event == event) subscribers.push_back({entry, hook.order});
  std::sort(subscribers.begin(), subscribers.end(), [](const Subscriber& left, const Subscriber& right) {
    return std::tie(left.order, left.plugin->id) < std::tie(right.order, right.plugin->id);
  });
  return subscribers;
}

std::vector<const CatalogEntry*> PluginCatalog::providers(std::string_view interface_id) const {
  std::vector<const CatalogEntry*> providers;
  for (const CatalogEntry& entry : entries_)
    if (entry.usable() && entry.note.provides_interface(interface_id)) providers.push_back(&entry);
  return providers;
}

std::string PluginCatalog::default_runtime() const {
  if (!host_.runtime.empty()) return host_.runtime;
  const auto runtimes = providers(DAVIT_RUNTIME_ID);
  return runtimes.empty() ? "" : runtimes.front()->id;
}

}  // namespace davit
