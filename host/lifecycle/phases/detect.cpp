// detect: which builder takes this tree: the app's choice, else the best score; a tie is an error that names
// both.
#include <fmt/format.h>

#include "base/text.hpp"
#include "lifecycle/environment.hpp"
#include "lifecycle/run.hpp"

namespace davit {
namespace {

struct Candidate {
  Builder* builder;
  Detection detection;
};

Result<Candidate> best_of(DeploymentRun& run, const BuildInput& input) {
  DAVIT_TRY_ASSIGN(const auto builders, run.services.capabilities.builders());
  if (builders.empty()) {
    return fail(Code::kUnavailable, "No builder is enabled", "Enable one in plugins.toml: davit plugin:list",
                "no-builder");
  }
  std::vector<Candidate> best;
  std::vector<std::string> reasons;
  for (Builder* builder : builders) {
    DAVIT_TRY_ASSIGN(Detection detection, builder->detect(input, run.call));
    if (detection.score <= 0) {
      reasons.push_back(fmt::format("{}: {}", builder->id(), detection.why));
      continue;
    }
    if (!best.empty() && detection.score > best.front().detection.score) best.clear();
    if (best.empty() || detection.score == best.front().detection.score)
      best.push_back({builder, std::move(detection)});
  }
  if (best.empty()) {
    return fail(Code::kFailed, "No builder knows what to do with this tree", join(reasons, "; "),
                "not-detected");
  }
  if (best.size() > 1) {
    return fail(
        Code::kInvalid,
        fmt::format("{} and {} both want to build this", best[0].builder->id(), best[1].builder->id()),
        fmt::format("Choose one: davit ps:set {} builder {}", run.app.name, best[0].builder->id()),
        "detect-tie");
  }
  return best.front();
}

}  // namespace

BuildInput build_input(const DeploymentRun& run) {
  BuildInput input;
  input.app = run.app.name;
  input.source_dir = run.source_dir;
  input.cache_dir = run.services.home.cache(run.app.name).string();
  input.work_dir = run.work_dir() + "/build";
  input.revision = run.source.revision;
  input.source_unix_ms = run.source.changed_unix_ms;
  input.stack = run.property("ps", "stack", "");
  input.request_id = run.deployment.id;
  return input;
}

Result<> detect(DeploymentRun& run) {
  BuildInput input = build_input(run);
  TextMap secrets;  // nothing is shown here that could have one
  DAVIT_TRY_ASSIGN(input.env, resolve_build_environment(run, secrets));
  TextMap options{{"builder", run.property("ps", "builder", "")}};
  BuildEvent event{run.app.name, run.source_dir, "", 0, options};
  DAVIT_TRY(run.services.bus.filter(Event{event_id::kBuildPlan, &event, {}}, run.call));
  if (!options["builder"].empty()) {
    DAVIT_TRY_ASSIGN(run.builder, run.services.capabilities.builder(options["builder"]));
    return {};
  }
  DAVIT_TRY_ASSIGN(const Candidate chosen, best_of(run, input));
  run.builder = chosen.builder;
  return {};
}

}  // namespace davit
