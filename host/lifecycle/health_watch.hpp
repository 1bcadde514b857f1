// HealthWatch: asks the live instances of one release their liveness and readiness checks, for as long as it
// is live. It takes the app's lock for what it changes, never waits for it, and keeps nothing that a kill -9
// would lose: see docs/adr/0005. The loop around it and its process are worker/health.cpp's.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "lifecycle/app_manifest.hpp"
#include "lifecycle/health_state.hpp"
#include "lifecycle/services.hpp"
#include "store/live_groups.hpp"
#include "store/releases.hpp"

namespace davit {

/// The revision that a health watch is wanted for: the live one, if its release has liveness or readiness
/// checks; else "".
Result<std::string> revision_to_watch(Store& store, AppId app);

/// What the watch needs of its process.
struct HealthWatchSeams {
  /// The app's lock, held until the pointer goes; null: somebody else has it.
  std::function<std::shared_ptr<void>(const App& app)> try_lock;
  std::function<void(std::string_view line)> log;
};

/// Threads: one.
class HealthWatch {
 public:
  HealthWatch(const LifecycleServices& services, const CallContext& call, std::string revision,
              HealthWatchSeams seams)
      : services_(services), call_(call), revision_(std::move(revision)), seams_(std::move(seams)) {}

  /// Asks what is due, and changes what is to be changed if the lock is free. How long to wait until the next
  /// round (ms); nullopt: this revision is not live any more, nothing is left to do.
  Result<std::optional<MonoMs>> round();

 private:
  struct Asked {
    MonoMs next = 0;    ///< when to ask again
    unsigned bad = 0;   ///< bad answers in a row
    bool good = false;  ///< the last answer
    bool answered_well = false;
    std::string problem;
  };
  struct Watched {
    UnixMs since_ms = 0;  ///< of the process that was asked: another one begins anew
    std::map<std::string, Asked> asked;
    bool seen = false;
  };
  struct Found {
    const LiveGroup* group;
    Instance instance;
  };

  Result<bool> load();
  Result<std::vector<Found>> look();
  void ask_all(const Found& found, Runtime& runtime);
  bool ask(const Found& found, Runtime& runtime, const HealthCheck& check, const std::string& key);
  void judge(const Found& found);
  [[nodiscard]] std::vector<HealthCheck> readiness_of(const Found& found, bool ready) const;
  Result<> change();
  Result<> restart(const std::string& name, InstanceHealth& health);
  Result<bool> still_ours();
  [[nodiscard]] MonoMs next_round_ms() const;
  void say(const std::string& line) const;

  const LifecycleServices& services_;
  const CallContext& call_;
  std::string revision_;
  HealthWatchSeams seams_;

  std::optional<App> app_;
  std::vector<LiveGroup> groups_;
  std::string checks_json_;
  HealthChecks checks_;
  HealthState state_;                           ///< as it is to be
  std::map<std::string, Watched> watched_;      ///< by "web.1"
  std::map<std::string, std::string> restart_;  ///< to be started again, and why
  bool routes_stale_ = true;  ///< whoever watched before us may have died between the record and the routes
  bool state_stale_ = false;
};

}  // namespace davit
