// Engine: a deploy is a transaction. It claims a deployment, runs its phases, journals each step, and on
// failure before the switch takes everything back; after the switch it only goes forward. It runs in the
// worker and knows no plugin by name.
#pragma once

#include <string_view>

#include "lifecycle/services.hpp"
#include "store/journal_types.hpp"

namespace davit {

class DeploymentRun;

/// A deployment that failed stays unfinished for now: see Engine::recover().
inline constexpr std::string_view kSlugNotTakenBack = "not-taken-back";

/// How long a worker waits for what it needs to take its deployment back: an engine's restart, and more.
inline constexpr MonoMs kPatienceMs = 60'000;

class Engine {
 public:
  explicit Engine(LifecycleServices services) : services_(std::move(services)) {}

  /// Runs a queued deployment to its end (drain and finish included). The error is what the user gets to see;
  /// the journal has it too. What a failed one needs to be taken back is waited for, up to a minute; if it
  /// does not answer, the deployment stays unfinished, and recover() goes on with it.
  Result<> run(std::string_view deployment_id, const CallContext& call);

  /// Finishes or undoes every unfinished deployment of the app whose owner is dead, and removes what one that
  /// was given up has left. The caller holds the app's lock. kUnavailable "not-taken-back": what it needs for
  /// that does not answer now; nothing is waited for.
  Result<> recover(AppId app, const CallContext& call);
  /// Brings one deployment to its end after the death of its owner, or of the worker before us. One whose
  /// owner lives is somebody else's by now, and left alone. What does not answer is waited for, as in run().
  Result<> recover(std::string_view deployment_id, const CallContext& call);
  /// Recovers every app, each under its own lock, which this takes. An app whose lock is held is named and
  /// left alone: whoever holds it has recovered it, or is about to. One app's failure does not keep the
  /// others from theirs; the first is returned.
  Result<> recover_all(const CallContext& call);

 private:
  Result<> forward(DeploymentRun& run);
  Result<> commit_and_finish(DeploymentRun& run);
  Result<> take_back(DeploymentRun& run, const Error& error, MonoMs patience_ms);
  Result<> recover_one(std::string_view deployment_id, const CallContext& call, MonoMs patience_ms);
  Result<> remove_given_up(AppId app, const CallContext& call);
  Result<> recover_unlocked(AppId app, const CallContext& call);

  LifecycleServices services_;
};

}  // namespace davit
