// deploys: list, info, output, cancel. What the journal says, and a viewer of a deployment's log.
#include <fmt/format.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "cli/json.hpp"
#include "cli/layout.hpp"
#include "commands/session.hpp"
#include "commands/table.hpp"
#include "lifecycle/identity.hpp"

namespace davit {
namespace {

constexpr std::size_t kShown = 20;

std::string at(const std::optional<UnixMs>& time) {
  return time ? iso8601_utc(*time) : std::string();
}

std::string json_of(const Step& step) {
  return JsonObject()
      .number("number", step.seq)
      .text("phase", step.phase)
      .text("plugin", step.plugin)
      .text("hook", step.hook)
      .text("state", name_of(step.state))
      .str();
}

JsonObject json_of(const Deployment& deployment) {
  JsonObject object;
  object.text("id", deployment.id)
      .text("app", deployment.app_name)
      .text("kind", deployment.kind)
      .text("state", name_of(deployment.state))
      .text("phase", deployment.phase)
      .text("actor", deployment.actor)
      .text("created-at", iso8601_utc(deployment.created_at_ms))
      .text("committed-at", at(deployment.committed_at_ms))
      .text("finished-at", at(deployment.finished_at_ms));
  if (deployment.error) {
    object.text("error", deployment.error->message).text("hint", deployment.error->hint);
    object.text("plugin", deployment.error->plugin);
  }
  return object;
}

Result<int> list(Session& session, const Arguments& args) {
  App app;  // without one: of all apps
  if (!args.app.empty()) {
    DAVIT_TRY_ASSIGN(app, session.app(args));
  }
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  DAVIT_TRY_ASSIGN(const auto history, store->journal().history(app.id, args.has("all") ? 0 : kShown));
  if (args.json()) {
    std::vector<std::string> items;
    for (const Deployment& deployment : history) items.push_back(json_of(deployment).str());
    session.out().result(json_array(items) + "\n");
    return 0;
  }
  session.out().header(app.name.empty() ? std::string("Deployments")
                                        : fmt::format("{} deployments", app.name));
  std::vector<std::vector<std::string>> rows;
  for (const Deployment& deployment : history) {
    rows.push_back({deployment.id, deployment.app_name, deployment.kind,
                    std::string(name_of(deployment.state)), iso8601_utc(deployment.created_at_ms),
                    deployment.actor});
  }
  session.out().result(columns(rows));
  return 0;
}

/// The deployment that was named, else the app's newest.
Result<Deployment> pick(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const App app, session.app(args));
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  if (!args.args.empty()) {
    DAVIT_TRY_ASSIGN(Deployment named, store->journal().get(args.args.front()));
    if (named.app == app.id) return named;
    return fail(Code::kNotFound, fmt::format("{} is no deployment of {}", named.id, app.name));
  }
  DAVIT_TRY_ASSIGN(auto history, store->journal().history(app.id, 1));
  if (history.empty()) return fail(Code::kNotFound, fmt::format("App {} has no deployment yet", app.name));
  return std::move(history.front());
}

Result<int> info(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const Deployment deployment, pick(session, args));
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  DAVIT_TRY_ASSIGN(const auto steps, store->journal().steps(deployment.id));
  if (args.json()) {
    std::vector<std::string> items;
    for (const Step& step : steps) items.push_back(json_of(step));
    session.out().result(json_of(deployment).raw("steps", json_array(items)).str() + "\n");
    return 0;
  }
  session.out().header(fmt::format("{} of {}", deployment.id, deployment.app_name));
  std::vector<std::vector<std::string>> rows{{"Kind:", deployment.kind},
                                             {"State:", std::string(name_of(deployment.state))},
                                             {"Phase:", deployment.phase},
                                             {"Actor:", deployment.actor},
                                             {"Created at:", iso8601_utc(deployment.created_at_ms)},
                                             {"Committed at:", at(deployment.committed_at_ms)},
                                             {"Finished at:", at(deployment.finished_at_ms)}};
  if (deployment.error) {
    rows.push_back({"Error:", deployment.error->message});
    if (!deployment.error->hint.empty()) rows.push_back({"Hint:", deployment.error->hint});
    if (!deployment.error->plugin.empty()) rows.push_back({"Plugin:", deployment.error->plugin});
  }
  for (const Step& step : steps) {
    rows.push_back({fmt::format("Step {}:", step.seq),
                    fmt::format("{} {} {} {}", step.phase, step.plugin, step.hook, name_of(step.state))});
  }
  session.out().result(columns(rows, "       "));
  return 0;
}

Result<int> output(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const Deployment deployment, pick(session, args));
  session.parts().flush();
  const bool wait = args.has("tail") && !is_finished(deployment.state);
  DAVIT_TRY_ASSIGN(const int code, session.deployer().follow(deployment.id, wait, session.acting()));
  return wait ? code : 0;
}

Result<std::optional<Deployment>> cancellable(Session& session, const App& app) {
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  DAVIT_TRY_ASSIGN(const auto open, store->journal().unfinished(app.id));
  const auto running = std::ranges::find_if(open, [](const Deployment& deployment) {
    return deployment.state == DeploymentState::kQueued || deployment.state == DeploymentState::kRunning;
  });
  if (running != open.end()) return *running;
  return std::optional<Deployment>{};
}

/// A stuck deployment is given up by --force: its steps stay as they are, and the app is free again.
Result<int> drop_stuck(Session& session, const App& app) {
  DAVIT_TRY_ASSIGN(Store * store, session.writing());
  DAVIT_TRY_ASSIGN(const auto stuck, store->journal().stuck());
  int dropped = 0;
  for (const Deployment& deployment : stuck) {
    if (deployment.app != app.id) continue;
    DAVIT_TRY(store->journal().set_state(deployment.id, DeploymentState::kCancelled));
    session.out().step(fmt::format("Dropped {} of {}", deployment.id, app.name));
    ++dropped;
  }
  return dropped;
}

Result<int> cancel(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const App app, session.app(args));
  DAVIT_TRY_ASSIGN(const auto running, cancellable(session, app));
  if (!running) {
    if (session.context.force) {
      DAVIT_TRY_ASSIGN(const int dropped, drop_stuck(session, app));
      if (dropped > 0) return 0;
    }
    return fail(Code::kNotFound, fmt::format("No deployment of {} is running", app.name),
                "A stuck one is dropped with --force");
  }
  DAVIT_TRY_ASSIGN(Store * store, session.writing());
  DAVIT_TRY_ASSIGN(const bool in_time, store->journal().request_cancel(running->id));
  if (!in_time)
    return fail(Code::kConflict, fmt::format("{} is past its switch: too late to cancel", running->id));
  // The flag is what counts; the signal only wakes a worker that waits for a program.
  DAVIT_TRY_ASSIGN(const Deployment now, store->journal().get(running->id));
  const UniqueFd owner = now.owner ? open_process(*now.owner) : UniqueFd();
  if (owner.valid()) ::syscall(SYS_pidfd_send_signal, owner.get(), SIGTERM, nullptr, 0);
  session.out().step(fmt::format("Cancelling {} of {}", running->id, app.name));
  return 0;
}

constexpr CliFlag kListFlags[] = {kFormatFlag, {"all", "", "Not only the last 20"}};
constexpr CliFlag kFormat[] = {kFormatFlag};
constexpr CliFlag kOutputFlags[] = {{"tail", "", "Go on until the deployment ends", 't'}};

constexpr CliCommand cancel_spec(std::string_view name) {
  return {.name = name,
          .usage = "[--force] <app>",
          .summary = "Stop the deployment of an app that runs",
          .app = AppArgument::kExisting};
}

}  // namespace

std::span<const CoreCommand> deploy_commands() {
  static constexpr CoreCommand kCommands[] = {
      {cancel_spec("deploys:cancel"), cancel},
      {{.name = "deploys:info",
        .usage = "[--format text|json] <app> [<deployment>]",
        .summary = "Show a deployment and its steps",
        .app = AppArgument::kExisting,
        .maximum_args = 1,
        .flags = kFormat},
       info},
      {{.name = "deploys:list",
        .usage = "[--all] [--format text|json] [<app>]",
        .summary = "List deployments, the newest first",
        .app = AppArgument::kOptional,
        .flags = kListFlags},
       list},
      {{.name = "deploys:output",
        .usage = "[-t|--tail] <app> [<deployment>]",
        .summary = "Show the log of a deployment",
        .app = AppArgument::kExisting,
        .maximum_args = 1,
        .flags = kOutputFlags},
       output},
  };
  return kCommands;
}

std::span<const CoreCommand> builds_commands() {
  static constexpr CoreCommand kCommands[] = {{cancel_spec("builds:cancel"), cancel}};
  return kCommands;
}

}  // namespace davit
