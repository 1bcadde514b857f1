// The deploy as prose. Read this first; each phase is a file of its own under phases/.
#include "lifecycle/engine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lifecycle/identity.hpp"
#include "lifecycle/rename.hpp"
#include "lifecycle/retention.hpp"
#include "lifecycle/scripts.hpp"
#include "lifecycle/step.hpp"

namespace davit {
namespace {

struct NamedPhase {
  const char* name;
  Result<> (*act)(DeploymentRun&);
  bool (*wanted)(const Plan&);
};

// Everything up to the switch can be taken back.
constexpr NamedPhase kPhases[] = {
    {"rename", rename_app, [](const Plan& plan) { return plan.renames; }},
    {"fetch", fetch, [](const Plan& plan) { return plan.builds; }},
    {"detect", detect, [](const Plan& plan) { return plan.builds; }},
    {"build", build, [](const Plan& plan) { return plan.builds; }},
    {"release", release, [](const Plan& plan) { return !plan.stops; }},
    {"launch", launch, [](const Plan& plan) { return plan.launches || plan.rescales; }},
    {"check", check, [](const Plan& plan) { return !plan.stops; }},
    {"switch", switch_over, [](const Plan&) { return true; }},
};

Event deploy_event(std::string_view id, DeployEvent& payload, const DeploymentRun& run) {
  // Until its first phase, nobody knows an app by the name that it is to have.
  payload.app = run.plan.renames && id == event_id::kDeployBegin ? run.renamed_from : run.app.name;
  payload.kind = run.deployment.kind;
  payload.version = run.target ? run.target->version : 0;
  Event event{id, &payload, {{"deployment", run.deployment.id}, {"actor", run.deployment.actor}}};
  if (run.plan.renames) event.facts["renamed-from"] = run.renamed_from;
  return event;
}

Result<> load_state(DeploymentRun& run) {
  auto& store = run.services.store;
  DAVIT_TRY_ASSIGN(run.live, store.releases().current(run.app.id));
  DAVIT_TRY_ASSIGN(run.live_groups, store.live_groups().of_app(run.app.id));
  if (!run.plan.renames) return {};
  run.target = run.live;
  // What is stopped stays so, under its new name.
  run.plan.launches = std::ranges::any_of(
      run.live_groups, [](const LiveGroup& group) { return group.state == GroupState::kLive; });
  return {};
}

std::string_view state_word(DeploymentState state) {
  return name_of(state);
}

Error not_taken_back(const DeploymentRun& run, const Error& why) {
  return {Code::kUnavailable,
          fmt::format("Deployment {} of {} could not be taken back yet: {}", run.deployment.id, run.app.name,
                      why.text()),
          fmt::format("It is when that answers again, by the next command that changes {0} or by davit "
                      "system:start; to give it up: davit deploys:cancel --force {0}",
                      run.app.name),
          std::string(kSlugNotTakenBack),
          {}};
}

}  // namespace

Result<> Engine::run(std::string_view deployment_id, const CallContext& call) {
  DAVIT_TRY_ASSIGN(Deployment deployment, services_.store.journal().get(deployment_id));
  DAVIT_TRY_ASSIGN(const ProcessIdentity self, own_identity());
  DAVIT_TRY(services_.store.journal().claim(deployment.id, deployment.owner, self));
  DAVIT_TRY_ASSIGN(App app, services_.store.apps().get(deployment.app));
  services_.mark(deployment.id, "begin");

  DeploymentRun run(services_, call, std::move(deployment), std::move(app));
  if (!plan_of(run.deployment.kind)) {
    const std::string what = fmt::format("There is no kind of deployment named {}", run.deployment.kind);
    DAVIT_TRY(services_.store.journal().fail_with(run.deployment.id, DeploymentState::kFailed,
                                                  {"kind-unknown", what, {}, {}}));
    return fail(Code::kInternal, what, {}, "kind-unknown");
  }
  DAVIT_TRY(services_.store.journal().set_state(run.deployment.id, DeploymentState::kRunning));

  auto done = forward(run);
  if (!done) {
    const auto back = take_back(run, done.error(), kPatienceMs);
    if (!back && back.error().slug != kSlugNotTakenBack) return back;
    if (!back) {
      run.call.out.warning(back.error().message);
      run.call.out.warning(back.error().hint);
    }
    return done;
  }
  return commit_and_finish(run);
}

Result<> Engine::forward(DeploymentRun& run) {
  // What was given up may still have the storage. If it cannot be removed now, the drain tries it again.
  if (const auto removed = remove_given_up(run.app.id, run.call); !removed)
    run.call.out.warning(removed.error().text());
  DAVIT_TRY(load_state(run));
  DeployEvent begin;
  DAVIT_TRY(services_.bus.ask(deploy_event(event_id::kDeployBegin, begin, run), run.call));
  for (const NamedPhase& phase : kPhases) {
    if (!phase.wanted(run.plan)) continue;
    if (run.call.cancelled()) {
      return fail(Code::kCancelled, "The deployment was cancelled", {}, "cancelled");
    }
    DAVIT_TRY(services_.store.journal().set_phase(run.deployment.id, phase.name));
    services_.mark(run.deployment.id, phase.name);
    DAVIT_TRY(phase.act(run));
  }
  return {};
}

// The switch has set the state to committed, in one transaction with the records of what is live. From
// on_committed on, the next deployment of the app may run beside this one. What drains is no business of its,
// with two exceptions: a scale that shrinks the live groups, and a destroy that forgets the app.
Result<> Engine::commit_and_finish(DeploymentRun& run) {
  if (run.deployment.state != DeploymentState::kDraining) run_after_deploy(run);
  if (run.plan.renames) DAVIT_TRY(move_files(run));
  if (!run.plan.rescales && !run.plan.destroys) services_.on_committed();
  auto& journal = services_.store.journal();
  DAVIT_TRY(journal.set_state(run.deployment.id, DeploymentState::kDraining));
  DAVIT_TRY(journal.set_phase(run.deployment.id, "drain"));
  services_.mark(run.deployment.id, "drain");
  services_.failpoint("drain/host/drain:begin");
  auto drained = drain(run);
  if (run.plan.rescales) services_.on_committed();
  DAVIT_TRY(drained);
  DAVIT_TRY(journal.set_phase(run.deployment.id, "finish"));
  services_.mark(run.deployment.id, "finish");
  services_.failpoint("finish/host/finish:begin");
  auto finished = finish(run);
  if (run.plan.destroys && finished) services_.on_committed();
  DAVIT_TRY(finished);
  services_.failpoint("finish/host/finish:end");
  DeployEvent event;
  event.state = state_word(DeploymentState::kDone);
  services_.bus.tell(deploy_event(event_id::kDeployFinished, event, run), run.call);
  if (run.plan.destroys) return {};
  // Together: what is done again after a crash must not meet another app of the old name.
  return services_.store.transaction([&]() -> Result<> {
    if (run.plan.renames) DAVIT_TRY(services_.store.apps().reserve_name(run.app.id, std::nullopt));
    return journal.set_state(run.deployment.id, DeploymentState::kDone);
  });
}

Result<> Engine::take_back(DeploymentRun& run, const Error& error, MonoMs patience_ms) {
  const Patience patience{patience_ms,
                          run.call.cancelled};  // a copy: what undoes is not cancelled from here on
  services_.mark(run.deployment.id, "undo");
  DAVIT_TRY_ASSIGN(const auto steps, services_.store.journal().steps(run.deployment.id));
  auto undone = undo_steps(run, patience);
  if (run.plan.renames) run.app.name = run.renamed_from;
  if (!undone && is_out_of_reach(undone.error())) {
    // Unfinished, with the reason why it failed: that is what it ends with when it is taken back.
    DAVIT_TRY(services_.store.journal().fail_with(run.deployment.id, DeploymentState::kRunning,
                                                  {error.slug, error.text(), error.hint, {}}));
    return fail(not_taken_back(run, undone.error()));
  }
  DeploymentState state = steps.empty() ? DeploymentState::kFailed : DeploymentState::kUndone;
  if (error.code == Code::kCancelled) state = DeploymentState::kCancelled;
  DeploymentError record{error.slug, error.text(), error.hint, {}};
  if (!undone) {
    state = DeploymentState::kStuck;
    record.message += fmt::format("; and it could not be taken back: {}", undone.error().text());
    run.call.out.warning(fmt::format("Not everything could be taken back: {}", undone.error().text()));
    run.call.out.warning(
        "The running release is not touched. See `davit doctor` and `davit deploys:cancel --force`");
  } else {
    apply_retention(run);  // before the state: if we die in here, the recovery does it
  }
  DAVIT_TRY(services_.store.journal().fail_with(run.deployment.id, state, record));
  DeployEvent event;
  event.state = state_word(state);
  event.message = error.text();
  event.status = static_cast<std::int32_t>(error.code) + 1;
  services_.bus.tell(deploy_event(event_id::kDeployFinished, event, run), run.call);
  return {};
}

}  // namespace davit
