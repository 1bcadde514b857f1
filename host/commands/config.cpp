// config: show, get, keys, export, and the table of the group. Changes are in config_write.
#include <fmt/format.h>

#include "base/ids.hpp"
#include "base/text.hpp"
#include "cli/json.hpp"
#include "commands/change.hpp"
#include "commands/config_formats.hpp"
#include "commands/config_write.hpp"
#include "commands/table.hpp"
#include "lifecycle/link_variables.hpp"

namespace davit {
namespace {

struct Scope {
  AppId id = AppId::kGlobal;
  std::string name = "global";
};

Result<Scope> scope_of(Session& session, const Arguments& args) {
  if (args.global_scope) return Scope{};
  DAVIT_TRY_ASSIGN(const App app, session.app(args));
  return Scope{app.id, app.name};
}

/// What an app has: its own config, and what its links give.
Result<ConfigMap> read(Session& session, const Scope& scope, bool merged) {
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  if (scope.id == AppId::kGlobal) return store->config().all(scope.id);
  DAVIT_TRY_ASSIGN(ConfigMap config,
                   merged ? store->config().merged(scope.id) : store->config().all(scope.id));
  DAVIT_TRY_ASSIGN(const TextMap links, link_variables(*store, scope.id));
  for (const auto& [key, value] : links) config.insert_or_assign(key, Secret(value));
  return config;
}

/// JSON is text: bytes that are none are lost in it, and whoever reads it back must know.
void warn_of_bytes(Session& session, const ConfigMap& config, std::string_view format) {
  if (format != "json" && format != "json-list") return;
  for (const auto& [key, value] : config) {
    if (!is_valid_utf8(value.reveal()))
      session.out().warning(
          fmt::format("The value of {} is no UTF-8 text, and JSON cannot hold it: use another format", key));
  }
}

Result<int> show(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const Scope scope, scope_of(session, args));
  DAVIT_TRY_ASSIGN(const ConfigMap config, read(session, scope, args.has("merged")));
  std::string format = std::string(args.value("format").value_or("pretty"));
  if (format != "json") format = "pretty";
  if (args.has("shell")) format = "shell";
  if (args.has("export")) format = "exports";
  DAVIT_TRY_ASSIGN(const std::string text, format_config(config, format));
  if (format == "pretty") session.out().header(fmt::format("{} env vars", scope.name));
  warn_of_bytes(session, config, format);
  session.out().result(text);
  return 0;
}

Result<int> get(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const Scope scope, scope_of(session, args));
  if (args.args.empty()) return fail(Code::kInvalid, "Expected: key");
  DAVIT_TRY_ASSIGN(const ConfigMap config, read(session, scope, false));
  const auto found = config.find(args.args.front());
  if (found == config.end()) return 1;  // and nothing is printed, so that scripts can test
  const std::string& value = found->second.reveal();
  session.out().result((args.has("quoted") ? shell_quote(value) : value) + "\n");
  return 0;
}

Result<int> keys(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const Scope scope, scope_of(session, args));
  DAVIT_TRY_ASSIGN(const ConfigMap config, read(session, scope, args.has("merged")));
  if (args.json()) {
    std::vector<std::string> names;
    for (const auto& [key, value] : config) names.push_back(key);
    session.out().result(json_texts(names) + "\n");
    return 0;
  }
  DAVIT_TRY_ASSIGN(const std::string text, format_config(config, "keys"));
  session.out().result(text);
  return 0;
}

Result<int> export_config(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const Scope scope, scope_of(session, args));
  DAVIT_TRY_ASSIGN(const ConfigMap config, read(session, scope, args.has("merged")));
  const std::string_view format = args.value("format").value_or("exports");
  DAVIT_TRY_ASSIGN(const std::string text, format_config(config, format));
  warn_of_bytes(session, config, format);
  session.out().result(text);
  return 0;
}

constexpr CliFlag kMerged{"merged", "", "The app's variables over the global ones"};
constexpr CliFlag kShowFlags[] = {
    kMerged, kFormatFlag, {"shell", "", "On one line, for a shell"}, {"export", "", "As lines of export"}};
constexpr CliFlag kGetFlags[] = {{"quoted", "", "In single quotes, for a shell"}};
constexpr CliFlag kKeysFlags[] = {kMerged, kFormatFlag};
constexpr CliFlag kExportFlags[] = {
    kMerged,
    {"format", "exports|envfile|shell|docker-args|docker-args-keys|json|json-list|pack-keys|pretty",
     "How to print it"}};
constexpr CliFlag kSetFlags[] = {{"encoded", "", "Values are base64"}, kNoRestartFlag, kNoWaitFlag};
constexpr CliFlag kUnsetFlags[] = {kNoRestartFlag, kNoWaitFlag};
constexpr CliFlag kImportFlags[] = {
    {"format", "auto|envfile|exports|json", "What the file is; auto, the default, looks"},
    {"replace", "", "Unset what the file does not have"},
    kNoRestartFlag,
    kNoWaitFlag};

constexpr std::string_view kShowUsage = "[--merged] [--shell|--export|--format text|json] (<app>|--global)";
constexpr CliCommand kShow{.name = "config",
                           .usage = kShowUsage,
                           .summary = "Show the variables of an app, or the global ones",
                           .app = AppArgument::kOrGlobal,
                           .flags = kShowFlags};

}  // namespace

std::span<const CoreCommand> config_commands() {
  static constexpr CoreCommand kCommands[] = {
      {kShow, show},
      {{.name = "config:clear",
        .usage = "[--no-restart] (<app>|--global)",
        .summary = "Unset all variables",
        .app = AppArgument::kOrGlobal,
        .flags = kUnsetFlags},
       config_clear},
      {{.name = "config:export",
        .usage = "[--format FORMAT] [--merged] (<app>|--global)",
        .summary = "Print the variables for another program",
        .app = AppArgument::kOrGlobal,
        .flags = kExportFlags},
       export_config},
      {{.name = "config:get",
        .usage = "[--quoted] (<app>|--global) KEY",
        .summary = "Print the value of one variable",
        .app = AppArgument::kOrGlobal,
        .maximum_args = 1,
        .flags = kGetFlags},
       get},
      {{.name = "config:import",
        .usage = "[--format FORMAT] [--no-restart] [--replace] (<app>|--global) [FILE|-]",
        .summary = "Set variables from an env file or a JSON object",
        .app = AppArgument::kOrGlobal,
        .maximum_args = 1,
        .flags = kImportFlags},
       config_import},
      {{.name = "config:keys",
        .usage = "[--merged] [--format text|json] (<app>|--global)",
        .summary = "List the names of the variables",
        .app = AppArgument::kOrGlobal,
        .flags = kKeysFlags},
       keys},
      {{.name = "config:set",
        .usage = "[--encoded] [--no-restart] (<app>|--global) KEY1=VALUE1 [KEY2=VALUE2 ...]",
        .summary = "Set variables, and restart the app with them",
        .app = AppArgument::kOrGlobal,
        .maximum_args = kAnyCount,
        .flags = kSetFlags},
       config_set},
      {{.name = "config:show",
        .usage = kShowUsage,
        .summary = "Show the variables of an app, or the global ones",
        .app = AppArgument::kOrGlobal,
        .flags = kShowFlags},
       show},
      {{.name = "config:unset",
        .usage = "[--no-restart] (<app>|--global) KEY1 [KEY2 ...]",
        .summary = "Unset variables, and restart the app without them",
        .app = AppArgument::kOrGlobal,
        .maximum_args = kAnyCount,
        .flags = kUnsetFlags},
       config_unset},
  };
  return kCommands;
}

}  // namespace davit
