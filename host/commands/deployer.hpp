// Deployer: how a command makes a deployment happen. It takes the app's lock, lets unfinished business be
// recovered, opens the deployment's journal row, detaches a guard with its worker, and follows the
// deployment's log as a viewer: a client that goes away stops nothing. The phases themselves are
// host/lifecycle's, in the worker.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/call_context.hpp"
#include "base/result.hpp"
#include "process/file_lock.hpp"

namespace davit {

/// What is to be done to one app. `request_json` is an object; no secrets. Kinds and their members:
/// - push: "revision" (40 hex digits), "old_revision", "ref" (refs/heads/main), "source" (for people),
/// "receiver" (git receive-pack: an object of boot_id, pid and start_time)
/// - rebuild: none; builds the live release's revision again
/// - restart, start, stop: none; all process types together, as they switch together
/// - config: "description"; a new release of the same artifact with the store's config
/// - scale: "formation", an object of counts by process type
/// - rollback: "version", "with_scale", "with_domains", each optional
/// - route: none; computes and applies the app's routes anew (domains, a proxy's settings)
/// - destroy: none; takes everything of the app down and forgets it
struct DeployRequest {
  std::string app;
  std::string kind;
  std::string request_json = "{}";
  std::string command;  ///< what the user ran, for "waits for": "git push", "ps:restart"
  bool follow = true;   ///< shows the log until the end of the push (the switch); else returns at once
};

class Deployer {
 public:
  virtual ~Deployer() = default;

  /// The app's lock. Says in the context's output whom it waits for; `no_wait`: fails at once instead
  /// (kConflict). Recovery of deployments whose owner died has been run when this returns. kNotFound
  /// "app-not-found"; kDenied "app-locked" for an app frozen by apps:lock, unless `even_frozen`.
  virtual Result<FileLock> lock(std::string_view app, std::string_view command, bool no_wait,
                                bool even_frozen, const CallContext& context) = 0;

  /// Opens and runs the deployment under `lock` (handed over). Its log lines go to the context's output as
  /// they come. The result is the exit code for the user: 0 when it was committed. Errors: only when it could
  /// not be started.
  virtual Result<int> deploy(FileLock lock, const DeployRequest& request, const CallContext& context) = 0;

  /// Follows a deployment that runs already (deploys:output -t), or prints the log of a finished one.
  virtual Result<int> follow(std::string_view deployment, bool wait, const CallContext& context) = 0;
};

inline constexpr std::string_view kSlugPluginFault = "plugin-fault";

/// Runs one operation in a short-lived worker, attached to our own fds 0-2: everything that needs plugins but
/// makes no deployment. Operations (first argument):
///   command NAME ARGS...      a plugin's command (its flags included, as typed)
///   logs APP [--tail] [--num N] [--ps TYPE[.N]] [--format json]
///   run APP [--detach] [--no-tty] [--env K=V]... -- ARGV...
///   enter APP TYPE[.N] -- ARGV...
///   ps APP                    instances as JSON lines on stdout:
///   {"id","type","number","state","pid","since","exits","endpoints"} publish EVENT JSON        one gate,
///   filter or notice (config.change, property.change, app.create, ...); exit 1 on a veto reroute APP...
///   route plan and switch for the apps, without a deployment of the user's doctor findings as JSON lines
///   {"plugin","level","what","hint"} recover APP|--all         finishes or undoes what a dead owner left
///   system-start | system-stop
class WorkerClient {
 public:
  virtual ~WorkerClient() = default;
  struct Outcome {
    int exit_code = 0;
    std::string out;  ///< captured stdout, when asked for
  };
  /// `capture`: stdout is returned instead of shown. A crash of a plugin is an error that names it, Internal
  /// kSlugPluginFault.
  virtual Result<Outcome> run(const std::vector<std::string>& operation, bool capture,
                              const CallContext& context) = 0;
};

}  // namespace davit
