// PluginHost: the enabled plugins of one home at work in this process (the worker). It loads a plugin when
// one of its capabilities, commands or hooks is first needed, and stops what it started. It is the
// Capabilities that lifecycle and commands see.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/paths.hpp"
#include "base/result.hpp"
#include "events/bus.hpp"
#include "plugin/capability.hpp"
#include "plugin/catalog.hpp"
#include "process/cancel.hpp"
#include "process/process_runner.hpp"

namespace spdlog {
class logger;
}

namespace davit {

class Breadcrumb;
class Store;
class Supervisor;

/// What the host classes behind davit.host.* are. Everything borrowed outlives the PluginHost.
struct PluginServices {
  Home home;
  Installation installation;
  Store& store;
  ProcessRunner& processes;
  Supervisor& supervisor;
  const Clock& clock;
  Breadcrumb& breadcrumb;               ///< notes each call into a plugin; one without a page does nothing
  std::shared_ptr<spdlog::logger> log;  ///< may be null
  /// Where the owner is root: to whom user "app" drops. Empty: everything runs as the owner.
  std::optional<RunAs> app_user;
  /// The runtime's plugin id for an app; "" or no function: the host's default.
  std::function<Result<std::string>(std::string_view app)> runtime_of_app;
  /// davit.host.apps/1 request_reroute: remembered by the caller, done before the command ends.
  std::function<void(std::string_view app)> request_reroute;
  /// The worker's own token (its SIGTERM): programs and tasks that plugins started are stopped with it.
  std::function<std::optional<CancelToken>()> cancel = [] { return std::optional<CancelToken>(); };
  std::string version = "0.1.0";  ///< davit's
};

struct PluginHostOptions {
  /// false: an enabled plugin with a problem makes open() fail. true (doctor, what only reads): such plugins
  /// are left out.
  bool tolerate_problems = false;
};

/// Threads: one (that which opened it). Order of life: Store etc., PluginHost, EventBus destroyed in any
/// order after stop_all().
class PluginHost final : public Capabilities {
 public:
  /// Loads nothing yet. kFailed "plugin-problem" names the first enabled plugin that has one.
  static Result<std::unique_ptr<PluginHost>> open(PluginCatalog catalog, PluginServices services,
                                                  PluginHostOptions options = {});
  /// stop_all().
  ~PluginHost() override;
  PluginHost(const PluginHost&) = delete;
  PluginHost& operator=(const PluginHost&) = delete;

  /// Subscribes every hook of every usable plugin; a plugin is loaded at the first event it listens to. The
  /// hooks hold this host: do not use the bus after it is gone. Also where davit.host.events/1 publishes.
  void subscribe_hooks(EventBus& bus);

  Result<std::vector<Builder*>> builders() override;
  Result<Builder*> builder(std::string_view id) override;
  Result<Runtime*> runtime(std::string_view id) override;
  Result<Proxy*> proxy() override;
  Result<std::vector<Doctor*>> doctors() override;
  Result<ServiceKind*> service_kind(std::string_view id) override;
  /// Splits the declared flags off `command.args`, checks the number of arguments, runs it. kNotFound
  /// "command-not-found"; kInvalid "usage" with the usage line as hint. That the app exists is the caller's
  /// to check.
  Result<int> run_command(const PluginCommandCall& command, const CallContext& context) override;

  [[nodiscard]] const PluginCatalog& catalog() const;
  /// Ids of the plugins that are loaded now, in order of loading: for tests.
  [[nodiscard]] std::vector<std::string> loaded() const;
  /// Stops and destroys every instance in reverse order of their start. Afterwards nothing can be called.
  void stop_all();

 private:
  struct Parts;
  explicit PluginHost(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace davit
