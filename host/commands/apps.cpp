// apps: create, destroy, rename, clone, list, exists, lock, unlock, locked, report.
#include <fmt/format.h>

#include "base/ids.hpp"
#include "base/text.hpp"
#include "cli/json.hpp"
#include "commands/app_creation.hpp"
#include "commands/change.hpp"
#include "commands/confirm.hpp"
#include "commands/property_commands.hpp"
#include "commands/reports.hpp"
#include "commands/table.hpp"

namespace davit {
namespace {

Result<int> create(Session& session, const Arguments& args) {
  DAVIT_TRY(check_app_name(args.app));
  session.quiet_step(fmt::format("Creating {}...", args.app));
  DAVIT_TRY(create_app(session, args.app));
  return 0;
}

/// Data that outlive the app: services that it is linked to, and folders that are mounted.
Result<std::string> kept_things(Session& session, const App& app) {
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  DAVIT_TRY_ASSIGN(const auto links, store->services().links_of_app(app.id));
  DAVIT_TRY_ASSIGN(const auto mounts, store->mounts().of_app(app.id));
  std::vector<std::string> kept;
  for (const ServiceLink& link : links) kept.push_back(fmt::format("{} {}", link.kind, link.service_name));
  for (const StorageMount& mount : mounts) kept.push_back("storage " + mount.source);
  return join(kept, ", ");
}

Result<int> destroy(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const App app, session.app(args));
  std::string what = fmt::format("This command will destroy {} (including all add-ons).", app.name);
  DAVIT_TRY_ASSIGN(const std::string kept, kept_things(session, app));
  if (!kept.empty()) what += fmt::format(" What it uses is kept: {}.", kept);
  DAVIT_TRY(confirm(session, app.name, what));
  session.out().step(fmt::format("Destroying {} (including all add-ons)", app.name));
  Deployer& deployer = session.deployer();
  DAVIT_TRY_ASSIGN(FileLock lock, deployer.lock(app.name, "apps:destroy", args.has("no-wait"),
                                                session.context.force, session.acting()));
  return deployer.deploy(std::move(lock), {app.name, "destroy", "{}", "apps:destroy", true},
                         session.acting());
}

/// Waits for whatever runs on the app, and gives it its new name as a deployment: in the journal, so that it
/// is finished or taken back whatever dies in the middle.
Result<int> rename(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const App app, session.app(args));
  const std::string& name = args.args.front();
  DAVIT_TRY(check_app_name(name));
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  DAVIT_TRY_ASSIGN(const bool taken, store->apps().exists(name));
  if (taken) return fail(name_taken());
  session.quiet_step(fmt::format("Renaming {} to {}", app.name, name));
  const std::string request = JsonObject().text("from", app.name).text("to", name).str();
  return change_app(session, app, {"apps:rename", "rename", request, args.has("no-wait")});
}

/// As a new app: its config, settings and source, and the release that is live. Not its domains, which are
/// the other's, nor its storage and its links, which two apps must not write to unasked.
Result<int> clone(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const App source, session.app(args));
  const std::string& name = args.args.front();
  DAVIT_TRY(check_app_name(name));
  DAVIT_TRY_ASSIGN(Store * store, session.writing());
  DAVIT_TRY_ASSIGN(const bool taken, store->apps().exists(name));
  if (taken && args.has("ignore-existing")) {
    session.out().warning(fmt::format("{} exists already; nothing is cloned", name));
    return 0;
  }
  session.quiet_step(fmt::format("Cloning {} to {}", source.name, name));
  DAVIT_TRY_ASSIGN(const App made, clone_app(session, source, name));
  DAVIT_TRY_ASSIGN(const auto links, store->services().links_of_app(source.id));
  for (const ServiceLink& link : links) {
    session.out().warning(
        fmt::format("{}_URL is not cloned: it is the link to {} {}; see {}:clone and {}:link", link.alias,
                    link.kind, link.service_name, link.kind, link.kind));
  }
  if (!source.deployed || args.has("skip-deploy")) return 0;
  session.context.app = name;
  return change_app(session, made, {"apps:clone", "start", "{}", false});
}

Result<int> exists(Session& session, const Arguments& args) {
  DAVIT_TRY(session.app(args));
  return 0;
}

Result<int> list(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  DAVIT_TRY_ASSIGN(const auto names, store->apps().names());
  if (args.json()) {
    session.out().result(json_texts(names) + "\n");
    return 0;
  }
  session.out().header("My Apps");
  std::string text;
  for (const std::string& name : names) text += name + "\n";
  session.out().result(text);
  return 0;
}

Result<int> lock(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const App app, session.app(args));
  DAVIT_TRY_ASSIGN(Store * store, session.writing());
  DAVIT_TRY(store->apps().lock(app.id));
  session.out().step("Deploy lock created");
  return 0;
}

Result<int> unlock(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const App app, session.app(args));
  DAVIT_TRY_ASSIGN(Store * store, session.writing());
  DAVIT_TRY(store->apps().unlock(app.id));
  session.out().step("Deploy lock removed");
  return 0;
}

Result<int> locked(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const App app, session.app(args));
  if (!app.locked_at_ms) return fail(Code::kNotFound, "Deploy lock does not exist");
  session.out().step("Deploy lock exists");
  return 0;
}

constexpr CliFlag kDestroyFlags[] = {kNoWaitFlag};
constexpr CliFlag kCloneFlags[] = {{"skip-deploy", "", "Only make the app; ps:start deploys it"},
                                   {"ignore-existing", "", "Do nothing if the new app exists"}};
constexpr CliFlag kFormat[] = {kFormatFlag};

}  // namespace

std::span<const CoreCommand> app_commands() {
  static constexpr CoreCommand kCommands[] = {
      {{.name = "apps:clone",
        .usage = "[--skip-deploy] [--ignore-existing] <old-app> <new-app>",
        .summary = "Make a new app of the source, settings and release of another",
        .app = AppArgument::kExisting,
        .minimum_args = 1,
        .maximum_args = 1,
        .more_app = 1,
        .flags = kCloneFlags},
       clone},
      {{.name = "apps:create", .usage = "<app>", .summary = "Make a new app", .app = AppArgument::kNew},
       create},
      {{.name = "apps:destroy",
        .usage = "[--force] <app>",
        .summary = "Take an app down and forget it for good",
        .app = AppArgument::kExisting,
        .flags = kDestroyFlags},
       destroy},
      {{.name = "apps:exists",
        .usage = "<app>",
        .summary = "Say by the exit code whether an app exists",
        .app = AppArgument::kExisting},
       exists},
      {{.name = "apps:list", .usage = "[--format text|json]", .summary = "List all apps", .flags = kFormat},
       list},
      {{.name = "apps:lock",
        .usage = "<app>",
        .summary = "Freeze an app: nothing is deployed until it is unlocked",
        .app = AppArgument::kExisting},
       lock},
      {{.name = "apps:locked",
        .usage = "<app>",
        .summary = "Say by the exit code whether an app is frozen",
        .app = AppArgument::kExisting},
       locked},
      {{.name = "apps:rename",
        .usage = "[--no-wait] <old-app> <new-app>",
        .summary = "Give an app another name without a dropped request",
        .app = AppArgument::kExisting,
        .minimum_args = 1,
        .maximum_args = 1,
        .more_app = 1,
        .flags = kDestroyFlags},
       rename},
      core_report_command("apps:report"),
      core_set("apps:set", "--global <key> [<value>]"),
      {{.name = "apps:unlock",
        .usage = "<app>",
        .summary = "Let an app be deployed again",
        .app = AppArgument::kExisting},
       unlock},
  };
  return kCommands;
}

}  // namespace davit
