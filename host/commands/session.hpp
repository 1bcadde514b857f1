// Session: one run of the front program: who asks, from which home, and the parts that a command may need,
// each made when it is first asked for (a list of apps opens the store and nothing else). main wires it;
// tests wire it with fakes.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/call_context.hpp"
#include "base/paths.hpp"
#include "base/result.hpp"
#include "cli/arguments.hpp"
#include "commands/deployer.hpp"
#include "plugin/catalog.hpp"
#include "process/process_runner.hpp"
#include "store/store.hpp"

namespace davit {

class Session;

/// Facts about this run, read once by main.
struct Surroundings {
  std::string program = "davit";  ///< what it calls itself: "dokku" when it is called so
  Installation installation;
  Home home;
  std::optional<Error>
      home_problem;  ///< why commands that need the home cannot run: missing, or another uid's
  uid_t uid = 0;
  CatalogOptions catalog;
  bool over_ssh = false;
  bool in_terminal = false;  ///< stdin is one: questions can be asked
};

/// How the parts are made. Functions are called at most once.
struct SessionParts {
  const Clock& clock;
  UserOutput& out;
  std::function<void()> flush = [] {};       ///< before another program writes to our stdout
  std::function<void()> make_quiet = [] {};  ///< --quiet was given
  std::function<std::string()> actor = [] { return std::string("local:unknown"); };
  std::function<std::unique_ptr<Deployer>(Session&)> deployer;
  std::function<std::unique_ptr<WorkerClient>(Session&)> worker;
  std::function<std::unique_ptr<ProcessRunner>()> processes = make_process_runner;
  /// All of stdin, at most so many bytes (more: Invalid "input-too-large").
  std::function<Result<std::string>(std::size_t max_bytes)> read_input;
  std::string ssh_command;  ///< SSH_ORIGINAL_COMMAND
  /// One line of stdin without its newline, for a question.
  std::function<std::string()> read_line = [] { return std::string(); };
};

/// Threads: one.
class Session {
 public:
  Session(Surroundings surroundings, SessionParts parts);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] const Surroundings& where() const { return where_; }
  [[nodiscard]] const Home& home() const { return where_.home; }
  [[nodiscard]] const Clock& clock() const { return parts_.clock; }
  [[nodiscard]] UserOutput& out() const { return parts_.out; }
  /// The context of what this run does; its actor is filled by acting().
  CallContext context;

  /// The context with its actor: for what is recorded.
  const CallContext& acting();
  void set_actor(std::string actor) { context.actor = std::move(actor); }
  void set_safe_mode() { where_.catalog.safe_mode = true; }
  void set_over_ssh() { where_.over_ssh = true; }
  /// After `init` made it.
  void home_is_there() { where_.home_problem.reset(); }

  /// Pointers live as long as the session. A reading store sees what a writing one wrote.
  Result<Store*> reading();
  Result<Store*> writing();
  Result<const PluginCatalog*> catalog();
  /// Groups of commands that plugins bring; none where there is no catalog. Cheaper than that of it.
  CommandGroups plugin_groups();
  Deployer& deployer();
  ProcessRunner& processes();
  const SessionParts& parts() const { return parts_; }

  /// The app named in the arguments; "app-not-found" makes the exit code 20.
  Result<App> app(const Arguments& args);
  /// The same, but "not-deployed" if nothing of it was ever live.
  Result<App> deployed_app(const Arguments& args);
  /// That error: where to go from here depends on whether a deployment failed.
  Error not_deployed(const App& app);

  /// Runs an operation in a worker with our output flushed. See WorkerClient.
  Result<int> work(const std::vector<std::string>& operation);
  Result<std::string> work_captured(const std::vector<std::string>& operation);

  /// A step that vanishes with --quiet, as dokku's do.
  void quiet_step(std::string_view line);

  /// Publishes in a worker, if some enabled plugin listens; else nothing is started. `payload_json` is an
  /// object without secrets. Denied: a gate's veto (its reason was shown by the worker).
  Result<> publish(std::string_view event, const std::string& payload_json);
  /// As publish(), for a payload with secrets: it goes through a 0600 file under run/, passed as "@PATH".
  Result<> publish_secret(std::string_view event, const std::string& payload_json);
  Result<bool> has_subscriber(std::string_view event);

 private:
  WorkerClient& worker();

  Surroundings where_;
  SessionParts parts_;
  std::optional<Store> reading_;
  std::optional<Store> writing_;
  std::optional<PluginCatalog> catalog_;
  std::unique_ptr<Deployer> deployer_;
  std::unique_ptr<WorkerClient> worker_;
  std::unique_ptr<ProcessRunner> processes_;
};

}  // namespace davit
