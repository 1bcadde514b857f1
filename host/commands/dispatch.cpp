// dispatch: see the header.
#include "commands/dispatch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "base/text.hpp"
#include "cli/help.hpp"
#include "cli/json.hpp"
#include "cli/layout.hpp"
#include "commands/plugin_table.hpp"
#include "commands/property_commands.hpp"
#include "commands/reports.hpp"
#include "commands/services.hpp"
#include "commands/table.hpp"

namespace davit {
namespace {

/// The plugins, if they can be known; help works without a home and with a broken plugins.toml.
const PluginCatalog* catalog_or_null(Session& session) {
  auto catalog = session.catalog();
  return catalog ? *catalog : nullptr;
}

Result<int> show_group_help(Session& session, std::string_view group) {
  const FullTable table(session.where().program, catalog_or_null(session));
  session.out().result(help_group(table.view(), group));
  return 0;
}

Result<int> show_command_help(Session& session, const CliCommand& command) {
  session.out().result(help_command({session.where().program, {}, {}}, command));
  return 0;
}

/// The same for GROUP:set, with what can be set.
Result<int> show_set_help(Session& session, const CliCommand& command, const PropertyGroup& group) {
  std::vector<std::vector<std::string>> rows;
  for (const CliProperty& property : group.properties)
    rows.push_back({property.key, property.default_value, property.summary});
  show_command_help(session, command);
  session.out().result("\nProperties, and their defaults:\n\n" + columns(rows, "    "));
  return 0;
}

bool offers(const CatalogEntry& plugin, std::string_view group) {
  const PluginNote& note = plugin.note;
  return std::ranges::any_of(note.commands,
                             [&](auto& command) { return group_name(command.name) == group; }) ||
         std::ranges::any_of(note.properties, [&](auto& property) { return property.group == group; }) ||
         (plugin.id == group && note.provides_interface("davit.service/1"));
}

/// Why a plugin that is installed, and has such commands, does not run this one; nothing if there is none.
std::optional<Error> unusable(const PluginCatalog& catalog, const std::string& name) {
  for (const CatalogEntry& plugin : catalog.entries()) {
    if (plugin.usable() || !offers(plugin, group_name(name))) continue;
    if (plugin.enabled) return plugin.problem;
    const bool by_file = plugin.disabled_by == "plugins.toml";
    return Error{Code::kUnavailable,
                 fmt::format("`{}` is a command of the plugin {}, which is disabled", name, plugin.id),
                 by_file ? fmt::format("Enable it: davit plugin:enable {}", plugin.id)
                         : fmt::format("It is left out by {}", plugin.disabled_by),
                 "plugin-disabled",
                 {}};
  }
  return std::nullopt;
}

Result<int> unknown(Session& session, const std::string& name) {
  for (const std::string& line : split_lines(unknown_command(session.where().program, name))) {
    session.out().warning(line);
  }
  return kExitFailed;
}

Result<> take_globals(Session& session, const GlobalFlags& flags) {
  if (flags.quiet && !session.context.quiet) {
    session.context.quiet = true;
    session.parts().make_quiet();
  }
  if (flags.safe_mode && session.where().over_ssh) {  // the gates are plugins'
    return fail(Code::kDenied, "--safe-mode cannot be given over ssh",
                "Run it on the server, as the owner of the home");
  }
  if (flags.safe_mode) session.set_safe_mode();
  session.context.force = session.context.force || flags.force;
  session.context.trace = session.context.trace || flags.trace;
  return {};
}

/// The apps that the words name; an empty name if there is none.
Result<std::vector<std::string>> named_apps(Session& session, const CliCommand& spec, const Arguments& args) {
  std::vector<std::string> apps;
  if (!args.app.empty()) apps.push_back(args.app);
  if (spec.more_app != 0) apps.push_back(args.args[spec.more_app - 1]);
  // [APP] and APP|--global of a plugin's command: its note tells them from other words in its usage alone.
  const bool of_all = std::ranges::any_of(
      args.typed, [](std::string_view word) { return word == "--global" || word == "--all"; });
  if (spec.unknown_flags == UnknownFlags::kPassOn && spec.app == AppArgument::kNone && !of_all &&
      spec.usage.find("APP") != std::string_view::npos && !args.args.empty()) {
    DAVIT_TRY_ASSIGN(Store * store, session.reading());
    DAVIT_TRY_ASSIGN(const bool is_app, store->apps().exists(args.args.front()));
    if (is_app) apps.push_back(args.args.front());
  }
  if (apps.empty()) apps.emplace_back();
  return apps;
}

Result<> may_run(Session& session, const CliCommand& spec, const Arguments& args) {
  if (session.where().over_ssh && !spec.over_ssh) {
    return fail(Code::kDenied, fmt::format("{} cannot be run over ssh", spec.name),
                "Run it on the server, as the owner of the home");
  }
  if (spec.home == HomeNeed::kOwner && session.where().home_problem)
    return fail(*session.where().home_problem);
  if (!session.where().over_ssh) return {};
  DAVIT_TRY_ASSIGN(const auto apps, named_apps(session, spec, args));
  for (const std::string& app : apps) DAVIT_TRY(authorize(session, spec.name, app));
  return {};
}

Result<int> run_core(Session& session, const CommandLine& line, const CoreCommand& command) {
  DAVIT_TRY_ASSIGN(const Arguments args, parse_arguments(line, command.spec));
  DAVIT_TRY(take_globals(session, args.global));
  if (args.global.help) {
    // `config --help` is the group's help, as GROUP:help; `apps:create --help` the command's own.
    const bool is_group = command.spec.name.find(':') == std::string_view::npos;
    const PropertyGroup group = core_properties(args.group);
    if (command.spec.name.ends_with(":set") && !group.properties.empty())
      return show_set_help(session, command.spec, group);
    return is_group ? show_group_help(session, command.spec.name) : show_command_help(session, command.spec);
  }
  DAVIT_TRY(may_run(session, command.spec, args));
  return command.run(session, args);
}

Result<int> run_plugin(Session& session, const CommandLine& line, PluginCommand& command) {
  command.spec.flags = command.flags;
  DAVIT_TRY_ASSIGN(const Arguments args, parse_arguments(line, command.spec));
  DAVIT_TRY(take_globals(session, args.global));
  if (args.global.help) return show_command_help(session, command.spec);
  DAVIT_TRY(may_run(session, command.spec, args));
  if (command.spec.app == AppArgument::kExisting) DAVIT_TRY(session.app(args));
  std::vector<std::string> operation{"command", line.name};
  operation.insert(operation.end(), args.typed.begin(), args.typed.end());
  return session.work(operation);
}

/// GROUP:set and GROUP:report of the properties that a plugin declares.
Result<int> run_properties(Session& session, const CommandLine& line, const PropertyGroup& group) {
  const bool sets = line.name.ends_with(":set");
  const CliCommand spec = sets ? property_set_spec(line.name) : property_report_spec(line.name);
  DAVIT_TRY_ASSIGN(const Arguments args, parse_arguments(line, spec));
  DAVIT_TRY(take_globals(session, args.global));
  if (args.global.help) return sets ? show_set_help(session, spec, group) : show_command_help(session, spec);
  DAVIT_TRY(may_run(session, spec, args));
  if (!sets) return show_report(session, args, group, proxy_rows(session, group.name));
  DAVIT_TRY_ASSIGN(const int code, set_property(session, args, group));
  DAVIT_TRY(tell_of_other_runtime(session, args, group.name));
  return code;
}

/// KIND:VERB of data services.
Result<int> run_service(Session& session, const CommandLine& line, const ServiceCommand& command) {
  CliCommand spec = command.verb->spec;
  spec.name = line.name;
  DAVIT_TRY_ASSIGN(const Arguments args, parse_arguments(line, spec));
  DAVIT_TRY(take_globals(session, args.global));
  if (args.global.help) return show_command_help(session, spec);
  DAVIT_TRY(may_run(session, spec, args));
  return command.verb->run({session, command.kind, args});
}

Result<int> run_from_plugins(Session& session, const CommandLine& line) {
  auto catalog = session.catalog();
  if (!catalog) {
    // Which commands there are is not known: the reason why is worth more than "unknown command".
    if (session.where().home_problem) return unknown(session, line.name);
    return fail(std::move(catalog).error());
  }
  if (auto command = find_plugin_command(**catalog, line.name)) return run_plugin(session, line, *command);
  if (const auto command = find_service_command(**catalog, line.name))
    return run_service(session, line, *command);
  const std::string group(group_name(line.name));
  if (line.name == group + ":set" || line.name == group + ":report") {
    const PropertyGroup properties = plugin_properties(**catalog, group);
    if (!properties.properties.empty()) {
      return run_properties(session, line, properties);
    }
  }
  const FullTable table(session.where().program, *catalog);
  const bool asks_help = line.name == group || line.name == group + ":help";
  if (asks_help && !help_group(table.view(), group).empty()) {
    session.out().result(help_group(table.view(), group));
    return 0;
  }
  if (!session.where().home_problem) {
    if (auto why = unusable(**catalog, line.name)) return fail(std::move(*why));
  }
  return unknown(session, line.name);
}

Result<int> run(Session& session, const std::vector<std::string>& words) {
  DAVIT_TRY_ASSIGN(CommandLine line, split_command_line(words));
  DAVIT_TRY(take_globals(session, line.global));
  if (line.name.empty()) line.name = line.global.version ? "version" : "help";
  if (const CoreCommand* command = find_core_command(line.name)) return run_core(session, line, *command);
  for (const CoreGroup& group : core_groups()) {
    if (line.name == group.help.name || line.name == std::string(group.help.name) + ":help") {
      return show_group_help(session, group.help.name);
    }
  }
  return run_from_plugins(session, line);
}

}  // namespace

/// While one that may judge cannot be asked, nobody passes.
static Result<> refuse_without_judge(Session& session) {
  DAVIT_TRY_ASSIGN(const PluginCatalog* catalog, session.catalog());
  for (const CatalogEntry& entry : catalog->entries()) {
    if (!entry.enabled || !entry.problem) continue;
    const bool judges = std::ranges::any_of(
        entry.note.hooks, [](const HookSpec& hook) { return hook.event == "auth.authorize"; });
    if (!judges && !entry.note.id.empty()) continue;  // without a note nobody knows
    return fail(Code::kDenied,
                fmt::format("Nothing is run over ssh while the plugin {} cannot be asked: {}", entry.id,
                            entry.problem->message),
                "On the server: davit doctor", "judge-missing");
  }
  return {};
}

Result<> authorize(Session& session, std::string_view command, std::string_view app) {
  DAVIT_TRY(refuse_without_judge(session));
  const std::string payload =
      JsonObject().text("actor", session.acting().actor).text("command", command).text("app", app).str();
  return session.publish("auth.authorize", payload);
}

int report_error(Session& session, const Error& error) {
  session.out().warning(error.text());
  if (!error.hint.empty()) {
    for (const std::string& line : split_lines(error.hint)) session.out().warning(line);
  }
  return error.slug == "app-not-found" ? kExitNoSuchApp : kExitFailed;
}

int dispatch(Session& session, const std::vector<std::string>& words) {
  try {
    auto code = run(session, words);
    return code ? *code : report_error(session, code.error());
  } catch (
      const std::exception& failure) {  // of the standard library: out of memory, a file system's surprise
    return report_error(session,
                        Error{Code::kInternal, failure.what(), "This is a fault of davit's own", {}, {}});
  }
}

}  // namespace davit
