// change_app: the one way in which a command changes something of an app that runs: take its lock, write the
// store, deploy.
#pragma once

#include <functional>
#include <string>

#include "commands/session.hpp"

namespace davit {

struct AppChange {
  std::string command;  ///< what the user ran: "config:set"
  std::string kind;     ///< of the DeployRequest
  std::string request = "{}";
  bool no_wait = false;
};

/// Locks, runs `write` (may be empty) in one transaction and deploys. The exit code of the deployment. What
/// the deployment is to write down, `write` puts into the request of the `change` that was given.
Result<int> change_app(Session& session, const App& app, const AppChange& change,
                       const std::function<Result<>(Store&)>& write = {});

/// As change_app() when the app has a live release; else only writes.
Result<int> change_if_deployed(Session& session, const App& app, const AppChange& change,
                               const std::function<Result<>(Store&)>& write);

/// --no-wait, of every command that deploys.
inline constexpr CliFlag kNoWaitFlag{"no-wait", "", "Fail at once if another operation holds the app"};
inline constexpr CliFlag kNoRestartFlag{"no-restart", "", "Leave the change for the next deploy or restart"};

}  // namespace davit
