// help, version, completion: the commands about the command line itself. None needs a home.
#include <fmt/format.h>

#include "cli/help.hpp"

#include "cli/json.hpp"
#include "commands/dispatch.hpp"
#include "commands/plugin_table.hpp"
#include "commands/table.hpp"

namespace davit {
namespace {

const PluginCatalog* catalog_or_null(Session& session) {
  auto catalog = session.catalog();
  return catalog ? *catalog : nullptr;
}

Result<int> help(Session& session, const Arguments& args) {
  // The man page is made when davit is built, where there is no home: it shows what all plugins there are
  // bring.
  if (args.has("man")) {
    const PluginCatalog plugins = PluginCatalog::all_enabled(session.where().installation);
    const FullTable table("davit", &plugins);
    session.out().result(man_page(table.view(), DAVIT_VERSION));
    return 0;
  }
  if (args.args.empty() && !args.has("all")) {
    const FullTable groups(session.where().program, session.plugin_groups());
    session.out().result(help_overview(groups.view(), false));
    return 0;
  }
  const FullTable table(session.where().program, catalog_or_null(session));
  if (args.args.empty()) {
    session.out().result(help_overview(table.view(), true));
    return 0;
  }
  const std::string& name = args.args.front();
  for (const CliCommand& command : table.view().commands) {
    if (command.name == name && name.find(':') != std::string::npos)
      return dispatch(session, {name, "--help"});
  }
  const std::string text = help_group(table.view(), name);
  if (text.empty()) {
    return fail(Code::kNotFound, fmt::format("There is no help on {}", name),
                fmt::format("See `{} help` for a list of commands", session.where().program));
  }
  session.out().result(text);
  return 0;
}

Result<int> version(Session& session, const Arguments& args) {
  if (args.json()) {
    session.out().result(JsonObject().text("version", DAVIT_VERSION).str() + "\n");
  } else {
    session.out().result(fmt::format("{} version {}\n", session.where().program, DAVIT_VERSION));
  }
  return 0;
}

Result<int> completion(Session& session, const Arguments& args) {
  const FullTable table(session.where().program, catalog_or_null(session));
  const std::string script = completion_script(table.view(), args.args.front());
  if (script.empty()) {
    return fail(Code::kInvalid, fmt::format("There is no completion for {}", args.args.front()),
                "Use bash or zsh");
  }
  session.out().result(script);
  return 0;
}

constexpr CliFlag kHelpFlags[] = {{"all", "", "Every command of every group"},
                                  {"man", "", "The manual page, as roff"}};
constexpr CliFlag kFormat[] = {kFormatFlag};

}  // namespace

std::span<const CoreCommand> help_commands() {
  static constexpr CoreCommand kCommands[] = {
      {{.name = "help",
        .usage = "[--all|--man] [GROUP|COMMAND]",
        .summary = "Show the groups of commands, or the help of one",
        .maximum_args = 1,
        .flags = kHelpFlags,
        .home = HomeNeed::kNone},
       help},
  };
  return kCommands;
}

std::span<const CoreCommand> version_commands() {
  static constexpr CoreCommand kCommands[] = {
      {{.name = "version",
        .usage = "[--format text|json]",
        .summary = "Print the version",
        .flags = kFormat,
        .home = HomeNeed::kNone},
       version},
  };
  return kCommands;
}

std::span<const CoreCommand> completion_commands() {
  static constexpr CoreCommand kCommands[] = {
      {{.name = "completion",
        .usage = "bash|zsh",
        .summary = "Print a script that completes commands, flags, apps and services",
        .minimum_args = 1,
        .maximum_args = 1,
        .home = HomeNeed::kNone},
       completion},
  };
  return kCommands;
}

}  // namespace davit
