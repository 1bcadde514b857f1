// Tasks of a release.
#include "lifecycle/scripts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/defaults.hpp"
#include "lifecycle/environment.hpp"
#include "lifecycle/processes.hpp"
#include "lifecycle/release_extras.hpp"
#include "lifecycle/replacement.hpp"
#include "lifecycle/step.hpp"

namespace davit {
namespace {

// The exit code. `limit_ms` 0: as long as it takes.
Result<int> run_line(DeploymentRun& run, const ReleaseProcess& line, std::uint64_t limit_ms) {
  TaskRequest task;
  task.owner = run.app.name;
  task.name = line.type;
  task.artifact = artifact_of(run.services, *run.target);
  task.argv = argv_of(*run.target, line);
  DAVIT_TRY_ASSIGN(task.env, resolve_environment(run, "release", line.type));
  task.limits = limits_of(run.services.store, run.app.id, line.type);
  DAVIT_TRY_ASSIGN(const auto mounts, mounts_of(run));
  task.mounts = plain_mounts(mounts);
  if (limit_ms != 0) task.limits.time_ms = limit_ms;
  task.out = [&](std::string_view bytes) { run.call.out.detail(bytes); };
  DAVIT_TRY_ASSIGN(Runtime * runtime, run.services.capabilities.runtime(run.target->spec.runtime));
  auto code = runtime->run_task(task, run.call);
  if (code || limit_ms == 0 || code.error().code != Code::kTimeout) return code;
  return fail(Code::kTimeout, fmt::format("it did not end within {} s", limit_ms / 1000),
              fmt::format("More time: davit ps:set {} script-timeout-seconds SECONDS", run.app.name),
              "script-timeout");
}

ReleaseProcess line_of(const Release& release, std::string name, std::string script) {
  ReleaseProcess line;
  line.type = std::move(name);
  line.command = std::move(script);
  if (!release.spec.processes.empty()) line.launcher_argv = release.spec.processes.front().launcher_argv;
  return line;
}

std::uint64_t script_limit_ms(const DeploymentRun& run) {
  // Never without an end: after the switch nothing else would end one that hangs, which has the app's lock.
  const std::uint64_t limit_s =
      run.number_property("ps", "script-timeout-seconds", defaults::kScriptTimeoutS);
  return 1000 * (limit_s == 0 ? defaults::kScriptTimeoutS : limit_s);
}

Result<> run_predeploy(DeploymentRun& run) {
  const std::string script = extras_of(run.target->spec).scripts.predeploy;
  if (script.empty()) return {};
  run.call.out.step(fmt::format("Running the predeploy script of {}", run.app.name));
  const auto code = run_line(run, line_of(*run.target, "predeploy", script), script_limit_ms(run));
  if (!code) return fail(code.error(), "running scripts.dokku.predeploy");
  if (*code == 0) return {};
  return fail(Code::kFailed, fmt::format("The predeploy script exited with {}", *code),
              "Its output is above; the running release is not touched", "predeploy-failed");
}

Result<> run_release_command(DeploymentRun& run) {
  for (const ReleaseProcess& process : run.target->spec.processes) {
    if (process.type != kReleaseType) continue;
    run.call.out.step(fmt::format("Running the release command of {}", run.app.name));
    DAVIT_TRY_ASSIGN(const int code, run_line(run, process, 0));
    if (code != 0) {
      return fail(Code::kFailed, fmt::format("The release command exited with {}", code),
                  "Its output is above; the running release is not touched", "release-command-failed");
    }
  }
  return {};
}

void run_once_after(DeploymentRun& run, const std::string& name, const std::string& script) {
  if (script.empty()) return;
  const std::string hook = "script." + name;
  const auto steps = run.services.store.journal().steps(run.deployment.id);
  const bool begun =
      steps && std::ranges::any_of(*steps, [&](const Step& step) { return step.hook == hook; });
  const bool finished =
      begun && std::ranges::any_of(*steps, [&](const Step& step) {
        return step.hook == hook && (step.state == StepState::kApplied || !step.note.empty());
      });
  if (begun) {
    if (!finished) {
      run.call.out.warning(fmt::format("The {} script was interrupted, and is not run twice", name));
      run.call.out.warning(fmt::format("If need be, run it by hand: davit run {} ...", run.app.name));
    }
    return;
  }
  run.call.out.step(fmt::format("Running the {} script of {}", name, run.app.name));
  const auto done = journalled(run, {"switch", std::string(kHostStep), hook, {}, {}}, [&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const int code, run_line(run, line_of(*run.target, name, script), script_limit_ms(run)));
    if (code == 0) return {};
    return fail(Code::kFailed, fmt::format("it exited with {}", code));
  });
  if (done) return;
  run.call.out.warning(fmt::format("The {} script failed: {}", name, done.error().text()));
  run.call.out.warning("The new release answers all the same");
}

bool has_commands_before(const Release& release) {
  const auto& processes = release.spec.processes;
  return !extras_of(release.spec).scripts.predeploy.empty() ||
         std::ranges::any_of(processes, [](const auto& process) { return process.type == kReleaseType; });
}

}  // namespace

Result<> run_before_deploy(DeploymentRun& run) {
  if (!has_commands_before(*run.target)) return {};
  DAVIT_TRY(stop_first(run, "release"));
  DAVIT_TRY(run_predeploy(run));
  return run_release_command(run);
}

void run_after_deploy(DeploymentRun& run) {
  if (!run.plan.builds || !run.target) return;
  const DeployScripts scripts = extras_of(run.target->spec).scripts;
  run_once_after(run, "postdeploy", scripts.postdeploy);
  if (!run.deployment.from_version) run_once_after(run, "first-postdeploy", scripts.first_postdeploy);
}

}  // namespace davit
