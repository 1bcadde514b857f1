// plugin: list, info, check, enable, disable, doctor, new. Nothing here loads a plugin: notes are read, files
// are edited, and what must load one runs in another process.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/ids.hpp"
#include "base/text.hpp"
#include "cli/json.hpp"
#include "cli/layout.hpp"
#include "commands/findings.hpp"
#include "commands/new_plugin.hpp"
#include "commands/setting_places.hpp"
#include "commands/table.hpp"
#include "lifecycle/processes.hpp"
#include "plugin/plugins_toml.hpp"

namespace davit {
namespace {

std::string state_of(const CatalogEntry& entry) {
  if (entry.enabled && entry.problem) return "broken";
  return entry.enabled ? "enabled" : "disabled";
}

JsonObject json_of(const CatalogEntry& entry) {
  JsonObject object;
  object.text("id", entry.id)
      .text("version", entry.version)
      .text("state", state_of(entry))
      .text("summary", entry.summary)
      .text("path", entry.path)
      .raw("provides", json_texts(entry.note.provides))
      .text("disabled-by", entry.disabled_by)
      .text("problem", entry.problem ? entry.problem->text() : "");
  return object;
}

/// What plugin:info says beyond plugin:list.
std::string json_of_all(const CatalogEntry& entry) {
  const PluginNote& note = entry.note;
  std::vector<std::string> hooks;
  for (const HookSpec& hook : note.hooks)
    hooks.push_back(JsonObject().text("event", hook.event).number("order", hook.order).str());
  std::vector<std::string> commands;
  for (const CommandSpec& command : note.commands) {
    commands.push_back(JsonObject()
                           .text("name", command.name)
                           .text("usage", command.usage)
                           .text("summary", command.summary)
                           .str());
  }
  JsonObject settings;
  for (const auto& [key, value] : entry.settings) {
    JsonObject setting;
    if (value.items.empty()) {
      setting.text("value", value.text);
    } else {
      setting.raw("value", json_texts(value.items));
    }
    settings.raw(key, setting.boolean("is-default", value.is_default).str());
  }
  std::vector<std::string> properties;
  for (const PropertySpec& property : note.properties) {
    properties.push_back(JsonObject()
                             .text("group", property.group)
                             .text("key", property.key)
                             .text("summary", property.summary)
                             .str());
  }
  return json_of(entry)
      .text("abi", note.abi)
      .raw("requires", json_texts(note.requires_ids))
      .raw("uses", json_texts(note.uses_ids))
      .raw("hooks", json_array(hooks))
      .raw("commands", json_array(commands))
      .raw("settings", settings.str())
      .raw("properties", json_array(properties))
      .str();
}

Result<int> list(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const PluginCatalog* catalog, session.catalog());
  std::vector<const CatalogEntry*> entries;
  for (const CatalogEntry& entry : catalog->entries()) entries.push_back(&entry);
  std::ranges::sort(entries, {}, &CatalogEntry::id);
  if (args.json()) {
    std::vector<std::string> items;
    for (const CatalogEntry* entry : entries) items.push_back(json_of(*entry).str());
    session.out().result(json_array(items) + "\n");
    return 0;
  }
  session.out().header("Plugins");
  std::vector<std::vector<std::string>> rows;
  for (const CatalogEntry* entry : entries) {
    rows.push_back({entry->id, entry->version, state_of(*entry),
                    entry->problem ? entry->problem->message : entry->summary});
  }
  session.out().result(columns(rows));
  return 0;
}

Result<const CatalogEntry*> find_entry(Session& session, std::string_view id) {
  DAVIT_TRY_ASSIGN(const PluginCatalog* catalog, session.catalog());
  if (const CatalogEntry* entry = catalog->find(id)) return entry;
  std::vector<std::string> ids;
  for (const CatalogEntry& entry : catalog->entries()) ids.push_back(entry.id);
  const std::string near = nearest(id, ids);
  return fail(Code::kNotFound, fmt::format("There is no plugin {}", id),
              near.empty() ? "See: davit plugin:list" : fmt::format("Did you mean {}?", near),
              "plugin-not-found");
}

std::string setting_text(const SettingValue& value) {
  return fmt::format("{}{}", value.items.empty() ? value.text : join(value.items, ", "),
                     value.is_default ? "  (default)" : "");
}

Result<int> info(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const CatalogEntry* entry, find_entry(session, args.args[0]));
  if (args.json()) {
    session.out().result(json_of_all(*entry) + "\n");
    return 0;
  }
  const PluginNote& note = entry->note;
  session.out().header(fmt::format("{} plugin information", entry->id));
  std::vector<std::vector<std::string>> rows{{"Summary:", entry->summary},
                                             {"Version:", entry->version},
                                             {"ABI:", note.abi},
                                             {"State:", state_of(*entry)},
                                             {"File:", entry->path}};
  if (!entry->disabled_by.empty()) rows.push_back({"Disabled by:", entry->disabled_by});
  if (entry->problem) rows.push_back({"Problem:", entry->problem->text()});
  if (entry->problem && !entry->problem->hint.empty()) rows.push_back({"Hint:", entry->problem->hint});
  if (!note.provides.empty()) rows.push_back({"Provides:", join(note.provides, ", ")});
  if (!note.requires_ids.empty()) rows.push_back({"Requires:", join(note.requires_ids, ", ")});
  if (!note.uses_ids.empty()) rows.push_back({"Uses:", join(note.uses_ids, ", ")});
  for (const HookSpec& hook : note.hooks)
    rows.push_back({"Hook:", fmt::format("{} ({})", hook.event, hook.order)});
  for (const CommandSpec& command : note.commands) {
    rows.push_back({"Command:", command.usage.empty() ? command.name
                                                      : fmt::format("{} {}", command.name, command.usage)});
  }
  for (const SettingSpec& setting : note.settings) {
    const auto value = entry->settings.find(setting.key);
    rows.push_back({"Setting:", value == entry->settings.end()
                                    ? fmt::format("{} is not set", setting.key)
                                    : fmt::format("{} = {}", setting.key, setting_text(value->second))});
  }
  for (const PropertySpec& property : note.properties) {
    if (property.type == SettingType::kStrings) continue;  // the plugin's own commands set it
    rows.push_back({"Property:", fmt::format("{}:set {}", property.group, property.key)});
  }
  session.out().result(columns(rows, "       "));
  return 0;
}

std::string counted(std::size_t number, std::string_view what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

/// [host] proxy; without it the first that is enabled, also a broken one.
bool is_the_proxy(const PluginCatalog& catalog, const CatalogEntry& entry) {
  const std::string& chosen = catalog.host().proxy;
  if (!chosen.empty()) return chosen == entry.id;
  const auto first = std::ranges::find_if(catalog.entries(), [](const CatalogEntry& other) {
    return other.enabled && other.note.provides_interface("davit.proxy/1");
  });
  return first != catalog.entries().end() && first->id == entry.id;
}

Result<std::vector<std::string>> users_of(Session& session, const PluginCatalog& catalog,
                                          const CatalogEntry& entry) {
  std::vector<std::string> users;
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  DAVIT_TRY_ASSIGN(const auto services, store->services().list(""));
  const auto services_with = [&](std::string NewService::*member) {
    return static_cast<std::size_t>(std::ranges::count(services, entry.id, member));
  };
  if (entry.note.provides_interface("davit.runtime/1")) {
    std::size_t apps = 0;
    DAVIT_TRY_ASSIGN(const auto all, store->apps().list());
    for (const App& app : all) {
      DAVIT_TRY_ASSIGN(const auto live, store->releases().current(app.id));
      if (live && live->spec.runtime == entry.id) ++apps;
    }
    const std::size_t of_services = services_with(&NewService::runtime);
    if (apps + of_services > 0)
      users.push_back(fmt::format("{} runs {} and {}: those go on, but can be neither changed nor looked at",
                                  entry.id, counted(apps, "app"), counted(of_services, "service")));
  }
  if (entry.note.provides_interface("davit.service/1")) {
    if (const std::size_t of_kind = services_with(&NewService::kind); of_kind > 0)
      users.push_back(fmt::format("{} has {}: those go on, but without their commands", entry.id,
                                  counted(of_kind, "service")));
  }
  if (entry.note.provides_interface("davit.proxy/1") && is_the_proxy(catalog, entry)) {
    std::set<std::string> apps;
    DAVIT_TRY_ASSIGN(const auto groups, store->live_groups().all());
    for (const LiveGroup& group : groups)
      if (group.state == GroupState::kLive && group.process_type == kWebType && group.count > 0)
        apps.insert(group.app_name);
    if (!apps.empty())
      users.push_back(
          fmt::format("{} routes the requests of {}: from its next deploy or restart on, an app gets none",
                      entry.id, counted(apps.size(), "app")));
  }
  return users;
}

// Only words: the way to mend a host may lead through it.
void warn_of_users(Session& session, const PluginCatalog& catalog, const CatalogEntry& entry) {
  const auto users = users_of(session, catalog, entry);
  if (!users) return session.out().warning(users.error().text());
  for (const std::string& user : *users) session.out().warning(user);
  if (!users->empty())
    session.out().warning(fmt::format("To take it back: davit plugin:enable {}", entry.id));
}

/// What is not in order since: the plugin itself, or one that it gets in the way of; nullptr: all is well.
const CatalogEntry* broken_by(std::string_view id, const PluginCatalog& before, const PluginCatalog& after) {
  const auto broken = std::ranges::find_if(after.entries(), [&](const CatalogEntry& entry) {
    const CatalogEntry* was = before.find(entry.id);
    return entry.enabled && entry.problem && (entry.id == id || (was != nullptr && was->usable()));
  });
  return broken == after.entries().end() ? nullptr : &*broken;
}

// What it means beside the others is seen when it is enabled. A plugin that is broken would stop every
// command that changes something, so it is not left so.
Result<int> enable(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const CatalogEntry* entry, find_entry(session, args.args[0]));
  DAVIT_TRY_ASSIGN(const PluginCatalog* catalog, session.catalog());
  const std::filesystem::path& file = session.home().plugins_toml;
  const Installation& installation = session.where().installation;
  DAVIT_TRY_ASSIGN(const PluginCatalog before, PluginCatalog::read(session.home(), installation));
  DAVIT_TRY(set_plugin_enabled(file, entry->id, true));
  const auto written = write_found_places(file, *catalog, entry->id);
  if (!written) session.out().warning(written.error().text());
  DAVIT_TRY_ASSIGN(const PluginCatalog after, PluginCatalog::read(session.home(), installation));
  if (const CatalogEntry* broken = broken_by(entry->id, before, after)) {
    const CatalogEntry* was = before.find(entry->id);
    const bool was_enabled = was != nullptr && was->enabled;
    if (!was_enabled) DAVIT_TRY(set_plugin_enabled(file, entry->id, false));
    return fail(
        broken->problem->code,
        fmt::format("Plugin {} {}: {}", entry->id,
                    was_enabled ? "is enabled, and broken" : "was left disabled", broken->problem->text()),
        broken->problem->hint, broken->problem->slug);
  }
  session.out().step(fmt::format("Plugin {} enabled", entry->id));
  return 0;
}

Result<int> disable(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const CatalogEntry* entry, find_entry(session, args.args[0]));
  DAVIT_TRY_ASSIGN(const PluginCatalog* catalog, session.catalog());
  DAVIT_TRY(set_plugin_enabled(session.home().plugins_toml, entry->id, false));
  session.out().step(fmt::format("Plugin {} disabled", entry->id));
  warn_of_users(session, *catalog, *entry);
  return 0;
}

Result<int> doctor(Session& session, const Arguments& args) {
  if (!args.args.empty()) DAVIT_TRY(find_entry(session, args.args[0]));
  DAVIT_TRY_ASSIGN(auto findings, plugin_findings(session));
  if (!args.args.empty())
    std::erase_if(findings, [&](const DoctorFinding& finding) { return finding.part != args.args[0]; });
  return show_findings(session, findings, args.json());
}

/// The suite loads the plugin, so a program of its own runs it (libexec/davit/davit-check).
Result<int> check(Session& session, const Arguments& args) {
  session.parts().flush();
  Command command;
  command.argv = {session.where().installation.libexec("davit-check").string(), args.args[0]};
  if (args.json()) command.argv.emplace_back("--json");
  command.env = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8"};
  DAVIT_TRY_ASSIGN(const Exit exit, session.processes().run(command));
  return exit.shell_code();
}

Result<int> make_new(Session& session, const Arguments& args) {
  const std::string& id = args.args[0];
  const std::filesystem::path folder = args.args.size() > 1 ? args.args[1] : id;
  DAVIT_TRY(new_plugin(session.where().installation.share() / "template", folder, id));
  session.out().step(fmt::format("Made {}", folder.string()));
  session.out().detail("Its README.md says how to build and try it\n");
  return 0;
}

constexpr CliFlag kFormat[] = {kFormatFlag};

}  // namespace

std::span<const CoreCommand> plugin_commands() {
  static constexpr CoreCommand kCommands[] = {
      {{.name = "plugin:check",
        .usage = "[--format text|json] <file.so>",
        .summary = "Check whether a plugin keeps the rules of the ABI",
        .minimum_args = 1,
        .maximum_args = 1,
        .flags = kFormat,
        .over_ssh = false,
        .home = HomeNeed::kNone},
       check},
      {{.name = "plugin:disable",
        .usage = "<id>",
        .summary = "Switch a plugin off in plugins.toml",
        .minimum_args = 1,
        .maximum_args = 1,
        .over_ssh = false},
       disable},
      {{.name = "plugin:doctor",
        .usage = "[--format text|json] [<id>]",
        .summary = "Ask plugins about their health",
        .maximum_args = 1,
        .flags = kFormat},
       doctor},
      {{.name = "plugin:enable",
        .usage = "<id>",
        .summary = "Switch a plugin on in plugins.toml",
        .minimum_args = 1,
        .maximum_args = 1,
        .over_ssh = false},
       enable},
      {{.name = "plugin:info",
        .usage = "[--format text|json] <id>",
        .summary = "Show what a plugin says about itself, without loading it",
        .minimum_args = 1,
        .maximum_args = 1,
        .flags = kFormat},
       info},
      {{.name = "plugin:list",
        .usage = "[--format text|json]",
        .summary = "List the plugins that are installed",
        .flags = kFormat},
       list},
      {{.name = "plugin:new",
        .usage = "<id> [<folder>]",
        .summary = "Make the source of a new plugin from the template",
        .minimum_args = 1,
        .maximum_args = 2,
        .over_ssh = false,
        .home = HomeNeed::kNone},
       make_new},
  };
  return kCommands;
}

}  // namespace davit
