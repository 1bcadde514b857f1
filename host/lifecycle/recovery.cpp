// Recovery: what to do with a deployment whose owner died. Before the switch it goes back, after it forward.
#include <fmt/format.h>
#include <unistd.h>

#include <map>

#include "lifecycle/engine.hpp"
#include "lifecycle/identity.hpp"
#include "lifecycle/step.hpp"
#include "lifecycle/undo.hpp"
#include "process/file_lock.hpp"
#include "process/files.hpp"

namespace davit {
namespace {

bool is_past_switch(DeploymentState state) {
  return state == DeploymentState::kCommitted || state == DeploymentState::kDraining;
}

// A queued one has no owner yet: the app's lock says whether somebody is about to run it.
bool is_at_work(const Deployment& deployment) {
  return deployment.owner && is_alive(*deployment.owner);
}

// Why it is taken back: known if it had failed before, and what it needed for that did not answer.
Error reason_of(const Deployment& deployment) {
  if (!deployment.error)
    return {Code::kFailed, "The deployment was interrupted", "Try it again", "interrupted", {}};
  const DeploymentError& error = *deployment.error;
  return {error.slug == "cancelled" ? Code::kCancelled : Code::kFailed,
          error.message,
          error.hint,
          error.slug,
          {}};
}

// deploys:cancel --force: its instances may still be there.
bool was_given_up(Store& store, const LiveGroup& group) {
  if (group.state != GroupState::kStopping) return false;
  const auto deployment = store.journal().get(group.revision);
  return deployment && deployment->state == DeploymentState::kCancelled;
}

}  // namespace

Result<> Engine::recover(AppId app, const CallContext& call) {
  DAVIT_TRY_ASSIGN(const auto unfinished, services_.store.journal().unfinished(app));
  for (const Deployment& deployment : unfinished) {
    if (is_at_work(deployment)) continue;  // it drains, outside the app's lock
    DAVIT_TRY(recover_one(deployment.id, call, 0));
  }
  return remove_given_up(app, call);
}

Result<> Engine::recover_all(const CallContext& call) {
  DAVIT_TRY_ASSIGN(const auto unfinished, services_.store.journal().unfinished());
  DAVIT_TRY_ASSIGN(const auto groups, services_.store.live_groups().all());
  std::map<AppId, std::string> broken;  // and their names; how it looks without their locks
  for (const Deployment& deployment : unfinished) {
    if (!is_at_work(deployment)) broken.emplace(deployment.app, deployment.app_name);
  }
  for (const LiveGroup& group : groups) {
    if (was_given_up(services_.store, group)) broken.emplace(group.app, group.app_name);
  }
  Result<> first;
  for (const auto& [app, name] : broken) {
    auto recovered = recover_unlocked(app, call);
    if (recovered) continue;
    call.out.warning(fmt::format("{}: {}", name, recovered.error().text()));
    if (first) first = std::move(recovered);
  }
  return first;
}

// Under the lock it is looked at again.
Result<> Engine::recover_unlocked(AppId app, const CallContext& call) {
  auto found = services_.store.apps().get(app);
  if (!found && found.error().code != Code::kNotFound) return fail(found.error());
  if (!found) return recover(app, call);  // nothing is left that a lock could keep from anybody
  const auto path = services_.home.lock(found->name);
  DAVIT_TRY(make_dirs(path.parent_path(), 0700));
  const auto lock = FileLock::try_acquire(path, {"recovery", getpid(), services_.clock.now_unix_ms()});
  if (lock) return recover(found->id, call);
  if (lock.error().code != Code::kConflict) return fail(lock.error());
  call.out.step(fmt::format("{} is left alone: it is {}", found->name, lock.error().message));
  return {};
}

Result<> Engine::remove_given_up(AppId app, const CallContext& call) {
  auto& groups = services_.store.live_groups();
  DAVIT_TRY_ASSIGN(const auto of_app, groups.of_app(app));
  for (const LiveGroup& group : of_app) {
    if (!was_given_up(services_.store, group)) continue;
    DAVIT_TRY_ASSIGN(Runtime * runtime, services_.capabilities.runtime(group.runtime));
    const Selector selector{OwnerKind::kApp, group.owner, group.revision, group.process_type, 0};
    DAVIT_TRY(runtime->remove(selector, true, call));
    DAVIT_TRY(groups.remove(app, group.revision, group.process_type));
  }
  return {};
}

Result<> Engine::recover(std::string_view deployment_id, const CallContext& call) {
  return recover_one(deployment_id, call, kPatienceMs);
}

Result<> Engine::recover_one(std::string_view deployment_id, const CallContext& call, MonoMs patience_ms) {
  auto& journal = services_.store.journal();
  DAVIT_TRY_ASSIGN(Deployment deployment, journal.get(deployment_id));
  if (is_finished(deployment.state) || deployment.state == DeploymentState::kStuck) return {};
  auto found = services_.store.apps().get(deployment.app);
  if (!found && found.error().code != Code::kNotFound) return fail(found.error());
  if (!found) {  // destroyed: nothing is left that could be finished
    return journal.set_state(deployment.id, DeploymentState::kDone);
  }
  DAVIT_TRY_ASSIGN(const ProcessIdentity self, own_identity());
  if (!(deployment.owner && *deployment.owner == self)) {
    if (is_at_work(deployment)) return {};
    const auto claimed = journal.claim(deployment.id, deployment.owner, self);
    if (!claimed && claimed.error().slug == "deployment-owned") return {};  // another was faster
    DAVIT_TRY(claimed);
  }
  services_.mark(deployment.id, "recovery");
  DeploymentRun run(services_, call, std::move(deployment), std::move(*found));
  DAVIT_TRY_ASSIGN(run.live, services_.store.releases().current(run.app.id));
  DAVIT_TRY_ASSIGN(run.live_groups, services_.store.live_groups().of_app(run.app.id));
  if (is_past_switch(run.deployment.state)) {
    call.out.step(fmt::format("Finishing deployment {} of {}", run.deployment.id, run.app.name));
    if (run.deployment.to_version) {
      DAVIT_TRY_ASSIGN(run.target, services_.store.releases().get(run.app.id, *run.deployment.to_version));
    }
    return commit_and_finish(run);
  }
  call.out.step(fmt::format("Taking back deployment {} of {}, which was interrupted in {}", run.deployment.id,
                            run.app.name,
                            run.deployment.phase.empty() ? "its beginning" : run.deployment.phase));
  return take_back(run, reason_of(run.deployment), patience_ms);
}

}  // namespace davit
