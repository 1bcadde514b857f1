// Journalled steps and their undo.
#include "lifecycle/step.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lifecycle/undo.hpp"

namespace davit {
namespace {

constexpr unsigned kUndoAttempts = 3;
constexpr MonoMs kFirstPauseMs = 500;
constexpr MonoMs kLongestPauseMs = 4'000;
constexpr MonoMs kLookMs = 250;  // for somebody who cancels

std::string point(const StepSpec& spec, std::string_view state) {
  return fmt::format("{}/{}/{}:{}", spec.phase, spec.plugin, spec.hook, state);
}

bool may_have_acted(const Step& step) {
  return step.state != StepState::kUndone && step.state != StepState::kFinished;
}

// For a part that is out of reach: an engine that is being restarted, most often.
class Waiting {
 public:
  Waiting(DeploymentRun& run, const Patience& patience) : run_(run), patience_(patience) {}

  /// True when it is time to try again; false when nobody waits any longer.
  bool before_another_try(const Error& why) {
    if (patience_.limit_ms == 0) return false;
    if (until_ == 0) {
      until_ = now() + patience_.limit_ms;
      run_.call.out.warning(fmt::format("It cannot be taken back yet, and is tried again for {} seconds: {}",
                                        patience_.limit_ms / 1000, why.text()));
    }
    const MonoMs again = now() + pause_ms_;
    pause_ms_ = std::min(2 * pause_ms_, kLongestPauseMs);
    if (again > until_) return false;
    while (now() < again) {
      if (patience_.cancelled()) return false;
      run_.services.pause(std::min(kLookMs, again - now()));
    }
    return true;
  }

 private:
  [[nodiscard]] MonoMs now() const { return run_.services.clock.now_mono_ms(); }

  DeploymentRun& run_;
  const Patience& patience_;
  MonoMs until_ = 0;
  MonoMs pause_ms_ = kFirstPauseMs;
};

// An attempt that found nobody is none: only those are counted that failed, or from which nobody came back.
Result<> undo_in_attempts(DeploymentRun& run, const Step& step, Waiting& waiting) {
  auto& journal = run.services.store.journal();
  Result<> undone =
      fail(Code::kInternal, fmt::format("step {} failed to be undone {} times{}", step.hook, kUndoAttempts,
                                        step.note.empty() ? "" : ": " + step.note));
  for (unsigned attempt = step.undo_attempts; attempt < kUndoAttempts;) {
    DAVIT_TRY(journal.set_step_state(step.id, StepState::kUndoing));
    run.services.failpoint(fmt::format("{}/{}/{}:undoing", step.phase, step.plugin, step.hook));
    undone = undo_step(run, step);
    if (undone) return {};
    if (!is_out_of_reach(undone.error())) {
      ++attempt;
      continue;
    }
    DAVIT_TRY(journal.put_off_undo(step.id, undone.error().text()));
    if (!waiting.before_another_try(undone.error())) return undone;
  }
  return undone;
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

bool is_out_of_reach(const Error& error) {
  return error.code == Code::kUnavailable || error.code == Code::kTimeout;
}

Result<> undo_steps(DeploymentRun& run, const Patience& patience) {
  auto& journal = run.services.store.journal();
  DAVIT_TRY_ASSIGN(const auto steps, journal.steps_reversed(run.deployment.id));
  Waiting waiting(run, patience);
  Result<> outcome;
  for (const Step& step : steps) {
    if (!may_have_acted(step)) continue;
    const auto undone = undo_in_attempts(run, step, waiting);
    if (undone) {
      DAVIT_TRY(journal.set_step_state(step.id, StepState::kUndone));
      continue;
    }
    // What was done before it may need it gone: the old release its storage, the new one its route.
    if (is_out_of_reach(undone.error())) return undone;
    DAVIT_TRY(journal.set_step_state(step.id, StepState::kFailed, undone.error().text()));
    if (outcome) outcome = undone;
  }
  return outcome;
}

}  // namespace davit
