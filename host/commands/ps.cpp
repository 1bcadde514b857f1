// ps: start, stop, restart, rebuild, report, set, inspect; scaling is in ps_scale.
#include <fmt/format.h>

#include <algorithm>

#include "base/ids.hpp"
#include "cli/json.hpp"
#include "commands/change.hpp"
#include "commands/instances.hpp"
#include "commands/ps_scale.hpp"
#include "commands/reports.hpp"
#include "commands/table.hpp"

namespace davit {
namespace {

Result<int> deploy(Session& session, const App& app, const AppChange& change) {
  return change_app(session, app, change);
}

/// A clone that was not deployed has a release all the same: a start makes one of it with the config of now.
/// (A push of its source would be up to date.)
Result<int> undeployed(Session& session, const App& app, const AppChange& change) {
  Error error = session.not_deployed(app);
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  DAVIT_TRY_ASSIGN(const auto release, store->releases().newest_usable(app.id));
  if (!release) return fail(std::move(error));
  if (change.kind == "start" || change.kind == "restart") {
    return change_app(
        session, app,
        {change.command, "config", JsonObject().text("description", "First start").str(), change.no_wait});
  }
  error.hint = fmt::format("Start it first: davit ps:start {}", app.name);
  return fail(std::move(error));
}

/// One app, or with --all every app that is deployed, one after the other; the worst exit code.
Result<int> each(Session& session, const Arguments& args, const AppChange& change,
                 decltype(deploy)& action = deploy) {
  if (!args.all) {
    DAVIT_TRY_ASSIGN(const App app, session.app(args));
    if (!app.deployed) return undeployed(session, app, change);
    return action(session, app, change);
  }
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  DAVIT_TRY_ASSIGN(const auto apps, store->apps().list());
  int worst = 0;
  for (const App& app : apps) {
    if (!app.deployed) {
      session.out().warning(session.not_deployed(app).message);
      continue;
    }
    session.context.app = app.name;
    auto code = action(session, app, change);
    if (!code) session.out().warning(fmt::format("{}: {}", app.name, code.error().text()));
    worst = std::max(worst, code ? *code : 1);
  }
  return worst;
}

AppChange plain(const Arguments& args, std::string verb) {
  return {"ps:" + verb, std::move(verb), "{}", args.has("no-wait")};
}

/// All that its live release says is up.
Result<bool> runs_whole(Session& session, const App& app) {
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  DAVIT_TRY_ASSIGN(const auto groups, store->live_groups().live(app.id));
  std::size_t wanted = 0;
  for (const LiveGroup& group : groups) wanted += group.count;
  if (wanted == 0) return false;
  DAVIT_TRY_ASSIGN(const auto instances, list_instances(session, app));
  return instances.size() == wanted && std::ranges::all_of(instances, [](const InstanceLine& instance) {
           return instance.state == "running";
         });
}

Result<int> start_app(Session& session, const App& app, const AppChange& change) {
  DAVIT_TRY_ASSIGN(const bool runs, runs_whole(session, app));
  if (!runs) return deploy(session, app, change);
  session.out().step(fmt::format("App {} is running already", app.name));
  return 0;
}

Result<int> start(Session& session, const Arguments& args) {
  return each(session, args, plain(args, "start"), start_app);
}
Result<int> stop(Session& session, const Arguments& args) {
  if (!args.all) session.quiet_step(fmt::format("Stopping {}", args.app));
  return each(session, args, plain(args, "stop"));
}
Result<int> rebuild(Session& session, const Arguments& args) {
  return each(session, args, plain(args, "rebuild"));
}

Result<int> restart(Session& session, const Arguments& args) {
  AppChange change = plain(args, "restart");
  if (!args.args.empty()) {
    if (args.all) return fail(Code::kInvalid, "Unable to restart all apps when specifying a process name");
    DAVIT_TRY(check_process_type(args.args.front()));
    DAVIT_TRY_ASSIGN(const App app, session.app(args));
    DAVIT_TRY_ASSIGN(Store * store, session.reading());
    DAVIT_TRY_ASSIGN(const auto release, store->releases().current(app.id));
    if (release) DAVIT_TRY(check_type_of(*release, args.args.front(), "restart"));
    session.out().step("All process types restart together: web and workers switch at once");
  }
  return each(session, args, change);
}

Result<int> inspect(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const App app, session.deployed_app(args));
  DAVIT_TRY_ASSIGN(const auto instances, list_instances(session, app));
  std::vector<std::string> lines;
  for (const InstanceLine& instance : instances) lines.push_back(instance.json);
  session.out().result(json_array(lines) + "\n");
  return 0;
}

constexpr CliFlag kNoWait[] = {kNoWaitFlag};
constexpr CliFlag kScaleFlags[] = {
    kFormatFlag, {"skip-deploy", "", "Only remember the quantities"}, kNoWaitFlag};

constexpr CliCommand on_apps(std::string_view name, std::string_view usage, std::string_view summary,
                             std::size_t most = 0) {
  return {.name = name,
          .usage = usage,
          .summary = summary,
          .app = AppArgument::kOrAll,
          .maximum_args = most,
          .flags = kNoWait};
}

}  // namespace

std::span<const CoreCommand> process_commands() {
  static constexpr CoreCommand kCommands[] = {
      {{.name = "ps:inspect",
        .usage = "<app>",
        .summary = "Show the instances of an app as JSON",
        .app = AppArgument::kExisting},
       inspect},
      {on_apps("ps:rebuild", "[--all|<app>]", "Build the source of an app again"), rebuild},
      core_report_command("ps:report"),
      {on_apps("ps:restart", "[--all|<app>] [<process-type>]", "Replace the instances of an app by new ones",
               1),
       restart},
      {{.name = "ps:scale",
        .usage = "[--skip-deploy] [--format text|json] <app> [<type>=<count> ...]",
        .summary = "Show or change how many instances of each process type run",
        .app = AppArgument::kExisting,
        .maximum_args = kAnyCount,
        .flags = kScaleFlags},
       scale},
      core_set("ps:set"),
      {on_apps("ps:start", "[--all|<app>]", "Start an app that was stopped"), start},
      {on_apps("ps:stop", "[--all|<app>]", "Stop the instances of an app"), stop},
  };
  return kCommands;
}

}  // namespace davit
