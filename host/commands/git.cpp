// git: set and report of an app's repository, and what OpenSSH and git itself call: git:ssh and git:hook.
#include <fmt/format.h>

#include "base/ids.hpp"
#include "cli/ssh_words.hpp"
#include "commands/app_creation.hpp"
#include "commands/authorized_keys.hpp"
#include "commands/dispatch.hpp"
#include "commands/git_import.hpp"
#include "commands/reports.hpp"
#include "commands/table.hpp"
#include "git/receive_hook.hpp"
#include "git/repository.hpp"
#include "git/serve.hpp"
#include "git/source_rules.hpp"

namespace davit {
namespace {

constexpr std::size_t kMaxUpdatesBytes = 16 * 1024 * 1024;

/// The forced command of an ssh key: a git request, or any command of davit's that may come over ssh.
Result<int> ssh(Session& session, const Arguments& args) {
  const std::string& name = args.args.front();
  DAVIT_TRY(check_key_name(name));
  session.set_actor("ssh:" + name);
  session.set_over_ssh();
  const std::string& asked = session.parts().ssh_command;
  DAVIT_TRY_ASSIGN(std::vector<std::string> words, split_ssh_command(asked));
  if (is_git_request(words)) {
    DAVIT_TRY_ASSIGN(const GitRequest request, git_request(words));
    DAVIT_TRY(check_app_name(request.app));
    session.context.app = request.app;
    DAVIT_TRY(authorize(session, request.service, request.app));
    if (request.service == "git-receive-pack") {
      DAVIT_TRY(ensure_app_for_push(session, request.app));
    } else {
      DAVIT_TRY_ASSIGN(Store * store, session.reading());
      DAVIT_TRY(store->apps().get(request.app));
    }
    return serve_git(session.home(), session.processes(), request.service, request.app,
                     session.acting().actor);
  }
  // `ssh host davit apps:list` is what people type who are used to the local command.
  if (!words.empty() && words.front() == session.where().program) words.erase(words.begin());
  if (!words.empty() && words.front() == "git:ssh")
    return fail(Code::kDenied, "git:ssh cannot be run over ssh");
  return dispatch(session, words);
}

/// pre-receive of an app's repository, with git's lines on stdin. git shows what we write to the pusher.
Result<int> hook(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const App app, session.app(args));
  session.context.trace = session.context.trace || has_push_option("trace");
  DAVIT_TRY_ASSIGN(Store * store, session.writing());
  DAVIT_TRY_ASSIGN(const std::string updates, session.parts().read_input(kMaxUpdatesBytes));
  ReceiveParts parts{session.home(), *store, session.processes(), {}};
  parts.deploy = [&](const PushedRevision& pushed) -> Result<int> {
    Deployer& deployer = session.deployer();
    DAVIT_TRY_ASSIGN(FileLock lock,
                     deployer.lock(app.name, "git push", pushed.no_wait, false, session.acting()));
    DAVIT_TRY(check_not_moved(parts, pushed));
    return deployer.deploy(std::move(lock), {app.name, "push", pushed.request_json(), "git push", true},
                           session.acting());
  };
  return receive(parts, app.name, updates, session.acting());
}

/// git:set. The limit of a push is git's own to enforce, while it arrives: it goes into the repositories.
Result<int> set(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const int code, set_core_property(session, args));
  if (code != 0 || args.args.empty() || args.args.front() != kMaxPushBytesKey) return code;
  DAVIT_TRY_ASSIGN(Store * store, session.writing());
  DAVIT_TRY_ASSIGN(const auto apps, store->apps().list());
  for (const App& app : apps) {
    if (!args.global_scope && app.name != args.app) continue;
    DAVIT_TRY(set_push_limit(session.home(), session.processes(), app.name,
                             SourceRules(*store, app.id).max_push_bytes()));
  }
  return 0;
}

constexpr CliFlag kArchiveFlags[] = {
    {"archive-type", "tar|tar.gz|zip", "What it must be; default: what it is"}};
constexpr CliFlag kSyncFlags[] = {{"build", "", "Deploy what was fetched"},
                                  {"build-if-changes", "", "Deploy it if it is not what runs"},
                                  {"skip-deploy-branch", "", "Leave the property deploy-branch alone"}};

}  // namespace

std::span<const CoreCommand> git_commands() {
  static constexpr CoreCommand kCommands[] = {
      {{.name = "git:from-archive",
        .usage = "[--archive-type TYPE] <app> <file>|<url>|- [<name> <email>]",
        .summary = "Deploy the contents of a tar or zip archive",
        .app = AppArgument::kExisting,
        .maximum_args = 3,
        .flags = kArchiveFlags},
       git_from_archive},
      {{.name = "git:from-image",
        .usage = "<app> <image> [<name> <email>]",
        .summary = "Deploy an image, from its registry or the engine's own",
        .app = AppArgument::kExisting,
        .minimum_args = 1,
        .maximum_args = 3},
       git_from_image},
      {{.name = "git:hook",
        .usage = "<app>",
        .summary = "Called by the pre-receive hook of an app's repository",
        .app = AppArgument::kExisting,
        .hidden = true,
        .over_ssh = false},
       hook},
      core_report_command("git:report"),
      {property_set_spec("git:set"), set},
      {{.name = "git:ssh",
        .usage = "<name>",
        .summary = "Called by OpenSSH for a key of ssh-keys:add",
        .minimum_args = 1,
        .maximum_args = 1,
        .hidden = true,
        .over_ssh = false},
       ssh},
      {{.name = "git:sync",
        .usage = "[--build|--build-if-changes] <app> <repository> [<git-ref>]",
        .summary = "Clone or fetch an app from a remote git repository",
        .app = AppArgument::kExisting,
        .minimum_args = 1,
        .maximum_args = 2,
        .flags = kSyncFlags},
       git_sync},
  };
  return kCommands;
}

}  // namespace davit
