// Engine: a deploy is a transaction. It claims a deployment, runs its phases, journals each step, and on
// failure before the switch takes everything back; after the switch it only goes forward. It runs in the
// worker and knows no plugin by name.
#pragma once

#include <string_view>

#include "lifecycle/services.hpp"

namespace davit {

class DeploymentRun;

class Engine {
 public:
  explicit Engine(LifecycleServices services) : services_(std::move(services)) {}

  /// Runs a queued deployment to its end (drain and finish included). The error is what the user gets to see;
  /// the journal has it too.
  Result<> run(std::string_view deployment_id, const CallContext& call);

  /// Finishes or undoes every unfinished deployment of the app whose owner is dead. The caller holds the
  /// app's lock.
  Result<> recover(AppId app, const CallContext& call);
  /// Brings one deployment to its end after the death of its owner, or of the worker before us. One whose
  /// owner lives is somebody else's by now, and left alone.
  Result<> recover(std::string_view deployment_id, const CallContext& call);
  /// Recovers every app, each under its own lock, which this takes. An app whose lock is held is named and
  /// left alone: whoever holds it has recovered it, or is about to. One app's failure does not keep the
  /// others from theirs; the first is returned.
  Result<> recover_all(const CallContext& call);

 private:
  Result<> forward(DeploymentRun& run);
  Result<> commit_and_finish(DeploymentRun& run);
  Result<> take_back(DeploymentRun& run, const Error& error);
  Result<> recover_unlocked(const Deployment& dead, const CallContext& call);

  LifecycleServices services_;
};

}  // namespace davit
