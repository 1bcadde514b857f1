// Journal: deployments and their steps, written before and after each act, so that a crash at any moment can
// be finished or undone by the next command. It records; deciding what to do is the engine's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "store/journal_types.hpp"
#include "store/types.hpp"

namespace davit {

class Database;

/// Every write is synced to disk before the call returns. Threads: those of its Store.
/// A deployment or step that does not exist: NotFound "deployment-not-found" or "step-not-found".
class Journal {
 public:
  Journal(Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  /// A queued deployment with the next id. "app-not-found".
  Result<Deployment> open(const NewDeployment& deployment);
  Result<Deployment> get(std::string_view deployment_id);
  /// Takes a deployment over, if its owner is still the one that the caller saw (none, for a new one); else
  /// Conflict "deployment-owned". Whether that owner is dead is for the caller to find out.
  Result<> claim(std::string_view deployment_id, const std::optional<ProcessIdentity>& seen,
                 const ProcessIdentity& owner);
  /// Times follow: running sets started, committed sets committed, each end sets finished (the first time).
  /// A finished deployment stays as it is: Conflict "deployment-finished" (the same state again is no error).
  Result<> set_state(std::string_view deployment_id, DeploymentState state);
  /// Ends it with the reason: set_state() and the error in one write.
  Result<> fail_with(std::string_view deployment_id, DeploymentState state, const DeploymentError& error);
  Result<> set_phase(std::string_view deployment_id, std::string_view phase);
  Result<> set_to_version(std::string_view deployment_id, std::uint32_t version);
  /// Returns false when it is finished already, or past its switch: too late to cancel.
  Result<bool> request_cancel(std::string_view deployment_id);
  /// One cheap look for loops that poll between steps.
  Result<bool> cancel_requested(std::string_view deployment_id);

  /// Queued, running, committed or draining, oldest first. Not the stuck ones.
  Result<std::vector<Deployment>> unfinished(AppId app);
  Result<std::vector<Deployment>> unfinished();
  Result<std::vector<Deployment>> stuck();
  /// Newest first; limit 0: all. AppId::kGlobal: of all apps.
  Result<std::vector<Deployment>> history(AppId app, std::size_t limit = 0);
  /// Forgets finished deployments of the app beyond the `keep` newest; returns their ids (their logs can go).
  Result<std::vector<std::string>> prune(AppId app, std::size_t keep);

  /// Writes and syncs the prepared row; only then may the step be applied. Invalid "token-too-large" beyond
  /// kMaxTokenBytes. One row per phase, plugin and hook: Conflict "step-exists".
  Result<StepId> begin_step(std::string_view deployment_id, const NewStep& step);
  /// Undoing counts an attempt. `note` is kept when it is not empty: why it failed.
  Result<> set_step_state(StepId step, StepState state, std::string_view note = {});
  /// The attempt that kUndoing counted could not begin, and counts no more. `note`: why.
  Result<> put_off_undo(StepId step, std::string_view note);
  Result<Step> step(StepId step);
  /// In the order in which they began.
  Result<std::vector<Step>> steps(std::string_view deployment_id);
  /// The last first: the order of undo.
  Result<std::vector<Step>> steps_reversed(std::string_view deployment_id);

 private:
  Result<std::vector<Step>> read_steps(std::string_view deployment_id, bool reversed);

  Database& database_;
  const Clock& clock_;
};

}  // namespace davit
