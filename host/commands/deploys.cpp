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
#include "process/files.hpp"

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

bool runs(const Deployment& deployment) {
  return deployment.owner && is_alive(*deployment.owner);
}

bool is_past_switch(const Deployment& deployment) {
  return deployment.state == DeploymentState::kCommitted || deployment.state == DeploymentState::kDraining;
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
  if (!is_finished(deployment.state) && deployment.state != DeploymentState::kStuck && deployment.owner &&
      !runs(deployment)) {
    rows.push_back(
        {"Unfinished:",
         fmt::format("nobody runs it any more; the next command that changes {}, or davit "
                     "system:start, {}",
                     deployment.app_name, is_past_switch(deployment) ? "finishes it" : "takes it back")});
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

/// Its steps stay as they are, and the app is free again. Its release counts no more; its instances are
/// named as what is to be removed, by whoever can.
Result<> give_up(Store& store, const Deployment& deployment) {
  return store.transaction([&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const auto groups, store.live_groups().of_app(deployment.app));
    for (const LiveGroup& group : groups) {
      if (group.revision == deployment.id && group.state == GroupState::kLaunching)
        DAVIT_TRY(store.live_groups().set_state(group.app, group.revision, GroupState::kStopping));
    }
    if (deployment.to_version)
      DAVIT_TRY(store.releases().mark_failed(deployment.app, *deployment.to_version));
    return store.journal().set_state(deployment.id, DeploymentState::kCancelled);
  });
}

/// Those that are stuck, and those that nobody runs any more and that cannot be taken back.
Result<int> give_up_all(Session& session, const App& app) {
  DAVIT_TRY_ASSIGN(Store * store, session.writing());
  DAVIT_TRY_ASSIGN(auto left, store->journal().unfinished(app.id));
  DAVIT_TRY_ASSIGN(const auto stuck, store->journal().stuck());
  left.insert(left.end(), stuck.begin(), stuck.end());
  int given_up = 0;
  for (const Deployment& deployment : left) {
    if (deployment.app != app.id || runs(deployment) || is_past_switch(deployment)) continue;
    DAVIT_TRY(give_up(*store, deployment));
    session.out().step(fmt::format("Dropped {} of {}", deployment.id, app.name));
    ++given_up;
  }
  return given_up;
}

/// Nobody is at work at the app: what is unfinished is taken back now; with --force, what cannot be is given
/// up.
Result<int> cancel_left(Session& session, const App& app, const FileLock& /*held*/) {
  DAVIT_TRY_ASSIGN(const auto left, cancellable(session, app));
  const std::vector<std::string> recover{"recover", app.name};
  if (left) {
    const auto taken_back = session.work(recover);
    const bool good = taken_back && *taken_back == 0;
    if (good) session.out().step(fmt::format("Took back {} of {}", left->id, app.name));
    if (!session.context.force) return good ? 0 : 1;
  }
  DAVIT_TRY_ASSIGN(const int given_up, session.context.force ? give_up_all(session, app) : 0);
  if (given_up == 0 && !left) {
    return fail(Code::kNotFound, fmt::format("No deployment of {} is running", app.name),
                "A stuck one is dropped with --force");
  }
  if (given_up == 0) return 0;
  const auto removed = session.work(recover);
  if (!removed || *removed != 0) {
    session.out().warning(
        fmt::format("Instances that it began may still be there: the next deployment of {} removes them, and "
                    "so does davit "
                    "system:start",
                    app.name));
  }
  return 0;
}

Result<int> cancel(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const App app, session.app(args));
  DAVIT_TRY_ASSIGN(const auto running, cancellable(session, app));
  if (!running || !runs(*running)) {
    const auto path = session.home().lock(app.name);
    DAVIT_TRY(make_dirs(path.parent_path(), 0700));
    const auto lock =
        FileLock::try_acquire(path, {"deploys:cancel", getpid(), session.clock().now_unix_ms()});
    if (lock) return cancel_left(session, app, *lock);
    if (!running || lock.error().code != Code::kConflict) return fail(lock.error());
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
