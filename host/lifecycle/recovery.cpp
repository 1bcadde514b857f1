// Recovery: what to do with a deployment whose owner died. Before the switch it goes back, after it forward.
#include <fmt/format.h>

#include "lifecycle/engine.hpp"
#include "lifecycle/identity.hpp"
#include "lifecycle/step.hpp"
#include "lifecycle/undo.hpp"

namespace davit {
namespace {

bool is_past_switch(DeploymentState state) {
  return state == DeploymentState::kCommitted || state == DeploymentState::kDraining;
}

}  // namespace

Result<> Engine::recover(AppId app, const CallContext& call) {
  DAVIT_TRY_ASSIGN(const auto unfinished, services_.store.journal().unfinished(app));
  for (const Deployment& deployment : unfinished) {
    if (deployment.owner && is_alive(*deployment.owner)) continue;  // it drains, outside the app's lock
    DAVIT_TRY(recover(deployment.id, call));
  }
  return {};
}

Result<> Engine::recover(std::string_view deployment_id, const CallContext& call) {
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
    DAVIT_TRY(journal.claim(deployment.id, deployment.owner, self));
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
  return take_back(run,
                   Error{Code::kFailed, "The deployment was interrupted", "Try it again", "interrupted", {}});
}

}  // namespace davit
