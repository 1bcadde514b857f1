// Journalled steps and their undo.
#include "lifecycle/step.hpp"

#include <fmt/format.h>

#include "lifecycle/undo.hpp"

namespace davit {
namespace {

constexpr unsigned kUndoAttempts = 3;

std::string point(const StepSpec& spec, std::string_view state) {
  return fmt::format("{}/{}/{}:{}", spec.phase, spec.plugin, spec.hook, state);
}

bool may_have_acted(const Step& step) {
  return step.state != StepState::kUndone && step.state != StepState::kFinished;
}

}  // namespace

Result<> journalled(DeploymentRun& run, const StepSpec& spec, const std::function<Result<>()>& apply) {
  auto& journal = run.services.store.journal();
  run.services.mark(run.deployment.id, spec.phase + "/" + spec.hook);
  DAVIT_TRY_ASSIGN(
      const StepId id,
      journal.begin_step(run.deployment.id,
                         NewStep{spec.phase, spec.plugin, spec.hook, spec.version, spec.token, {}}));
  run.services.failpoint(point(spec, "prepared"));
  DAVIT_TRY(journal.set_step_state(id, StepState::kApplying));
  run.services.failpoint(point(spec, "applying"));
  auto applied = apply();
  if (!applied) {
    (void)journal.set_step_state(id, StepState::kApplying, applied.error().message);
    return applied;
  }
  run.services.failpoint(point(spec, "acted"));
  DAVIT_TRY(journal.set_step_state(id, StepState::kApplied));
  run.services.failpoint(point(spec, "applied"));
  return {};
}

Result<> run_step_hooks(DeploymentRun& run, std::string_view phase, const Event& event) {
  for (Hook* hook : run.services.bus.steps(event.id)) {
    DAVIT_TRY_ASSIGN(const std::string token, hook->prepare(event, run.call));
    const StepSpec spec{std::string(phase), std::string(hook->plugin()), std::string(event.id),
                        std::string(hook->version()), token};
    DAVIT_TRY(journalled(run, spec, [&] { return hook->apply(event, token, run.call); }));
  }
  return {};
}

Result<> undo_steps(DeploymentRun& run) {
  auto& journal = run.services.store.journal();
  DAVIT_TRY_ASSIGN(const auto steps, journal.steps_reversed(run.deployment.id));
  Result<> outcome;
  for (const Step& step : steps) {
    if (!may_have_acted(step)) continue;
    Result<> undone;
    for (unsigned attempt = step.undo_attempts; attempt < kUndoAttempts; ++attempt) {
      DAVIT_TRY(journal.set_step_state(step.id, StepState::kUndoing));
      run.services.failpoint(fmt::format("{}/{}/{}:undoing", step.phase, step.plugin, step.hook));
      undone = undo_step(run, step);
      if (undone) break;
    }
    if (undone && step.undo_attempts >= kUndoAttempts) {
      undone = fail(Code::kInternal,
                    fmt::format("step {} failed to be undone {} times", step.hook, kUndoAttempts));
    }
    if (undone) {
      DAVIT_TRY(journal.set_step_state(step.id, StepState::kUndone));
    } else {
      DAVIT_TRY(journal.set_step_state(step.id, StepState::kFailed, undone.error().text()));
      if (outcome) outcome = undone;
    }
  }
  return outcome;
}

}  // namespace davit
