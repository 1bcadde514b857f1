// Workshop: what an operation of the worker works with: the store, the plugins, the bus, the engine; each
// made when it is first asked for. The composition of the worker process; main makes one.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/call_context.hpp"
#include "base/paths.hpp"
#include "cli/terminal_output.hpp"
#include "guard/breadcrumb.hpp"
#include "lifecycle/engine.hpp"
#include "plugin/plugin_host.hpp"
#include "process/cancel.hpp"
#include "process/process_runner.hpp"
#include "service/generation.hpp"
#include "store/store.hpp"
#include "supervise/supervisor.hpp"

namespace spdlog {
class logger;
}

namespace davit {

/// What the front program handed down (commands/worker_protocol.hpp).
struct WorkerSurroundings {
  Home home;
  Installation installation;
  CatalogOptions catalog;
  std::string failpoint;
  std::optional<CancelToken> cancel;  ///< set by SIGINT, SIGTERM and SIGHUP
};

/// Threads: one.
class Workshop {
 public:
  Workshop(WorkerSurroundings where, CallContext& context, TerminalOutput& out, Breadcrumb& breadcrumb,
           const Clock& clock);
  ~Workshop();
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  [[nodiscard]] const Home& home() const { return where_.home; }
  [[nodiscard]] const WorkerSurroundings& where() const { return where_; }
  CallContext& context() { return context_; }
  TerminalOutput& out() { return out_; }
  Breadcrumb& breadcrumb() { return breadcrumb_; }
  const Clock& clock() const { return clock_; }

  /// To write; to read if the disk is read-only and the operation is one that reads.
  Result<Store*> store();
  /// Before the first store() or plugins().
  void set_only_reads(bool only_reads) { only_reads_ = only_reads; }
  /// `tolerant`, or an operation that only reads: plugins with problems are left out instead of being an
  /// error. The first call decides.
  Result<PluginHost*> plugins(bool tolerant = false);
  Result<EventBus*> bus();
  Supervisor& supervisor();
  ProcessRunner& processes() { return *processes_; }
  /// One line in davit's own log (logs/davit.log); never a secret. Does nothing where the log cannot be
  /// opened.
  void log(std::string_view line);

  /// The engine's services. `on_committed` is called right after a switch.
  Result<LifecycleServices> lifecycle(std::function<void()> on_committed = [] {});

  /// What services are kept with.
  Result<ServiceWorld> services();

  /// Apps whose routes a plugin asked to have computed anew; done by reroute_requested() before the operation
  /// ends.
  Result<> reroute_requested();

  /// The app, its live release, its runtime.
  struct Running {
    App app;
    Release release;
    Runtime* runtime = nullptr;
  };
  Result<Running> running(std::string_view app);

 private:
  Result<PluginServices> plugin_services();
  /// What takes something back must not be cancelled by what cancelled it.
  void go_to_the_end();

  WorkerSurroundings where_;
  CallContext& context_;
  TerminalOutput& out_;
  Breadcrumb& breadcrumb_;
  const Clock& clock_;
  std::unique_ptr<ProcessRunner> processes_;
  std::unique_ptr<Supervisor> supervisor_;
  std::shared_ptr<spdlog::logger> log_;
  bool only_reads_ = false;
  std::optional<Store> store_;
  std::unique_ptr<PluginHost> plugins_;
  std::unique_ptr<EventBus> bus_;
  std::unique_ptr<SourceStore> sources_;
  std::unique_ptr<EndpointProbe> probe_;
  std::set<std::string> to_reroute_;
  bool to_the_end_ = false;
};

}  // namespace davit
