// release: artifact + config + processes become release vN; then its release command runs, and its failure
// ends it.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/text.hpp"
#include "lifecycle/processes.hpp"
#include "lifecycle/release_extras.hpp"
#include "lifecycle/routes.hpp"
#include "lifecycle/scripts.hpp"
#include "lifecycle/slug_store.hpp"
#include "lifecycle/step.hpp"
#include "lifecycle/undo.hpp"
#include "process/files.hpp"

namespace davit {
namespace {

constexpr std::size_t kShortRevision = 7;

// What its build ran on goes with the release: the same slug may have been built on another one, too.
Result<> note_stack(DeploymentRun& run, ReleaseExtras& extras) {
  DAVIT_TRY_ASSIGN(const std::string chosen, runtime_of(run.services.store, run.app.id));
  DAVIT_TRY_ASSIGN(Runtime * runtime, run.services.capabilities.runtime(chosen));
  extras.built_runtime = runtime->id();
  DAVIT_TRY_ASSIGN(extras.built_stack, runtime->build_stack(run.app.name, run.call));
  return {};
}

// A slip of the pen there may mean that nothing runs: types that app.json does not name are 0.
void tell_of_unknown_types(DeploymentRun& run, const ReleaseSpec& spec) {
  for (const auto& [type, wanted] : run.manifest.formation) {
    if (has_type(spec, type) || wanted.quantity.value_or(0) == 0) continue;
    run.call.out.warning(fmt::format("app.json: formation.{}: the app has no such process type", type));
  }
}

// A slip of the pen in a Procfile must not take the app offline. Only of a build: which release a rollback
// goes to was said.
Result<> check_keeps_web(DeploymentRun& run, const ReleaseSpec& spec) {
  if (!run.live || !has_type(run.live->spec, kWebType) || has_type(spec, kWebType)) return {};
  DAVIT_TRY_ASSIGN(const Quantities said, run.services.store.formation().get(run.app.id));
  if (wanted_quantities(*run.live, said).find(kWebType)->second == 0) return {};
  const auto web = run.manifest.formation.find(kWebType);
  const bool names_web = web != run.manifest.formation.end() && web->second.quantity.value_or(0) > 0;
  if (extras_of(spec).fixes_formation() && !names_web) return {};  // by its app.json it has none
  std::vector<std::string> types;
  for (const ReleaseProcess& process : spec.processes) types.push_back(process.type);
  const std::string how = extras_of(run.live->spec).fixes_formation()
                              ? "give web the quantity 0 in its app.json"
                              : fmt::format("davit ps:scale {} web=0 first", run.app.name);
  return fail(Code::kInvalid,
              fmt::format("{} runs web, and what is to replace it has no such process type: it has {}",
                          run.app.name, types.empty() ? "none" : join(types, ", ")),
              fmt::format("Check the Procfile. If it is meant: {}", how), "web-missing");
}

Result<ReleaseSpec> spec_of_build(DeploymentRun& run) {
  ReleaseSpec spec;
  if (run.built.artifact.kind == ArtifactRef::Kind::kSlug) {
    DAVIT_TRY_ASSIGN(spec.artifact, store_slug(run.services.home, run.app.name, run.built.artifact.ref));
  } else {
    spec.artifact = {ArtifactKind::kImage, run.built.artifact.ref, run.built.artifact.digest, 0};
  }
  spec.revision = run.source.revision;
  // A rebuild is of what there is: it comes from where that came from.
  spec.source = run.text("source", run.live ? run.live->spec.source : "rebuild");
  spec.builder = run.builder->id();
  spec.stack = run.built.artifact.stack;
  ReleaseExtras extras{run.built.config_defaults, run.manifest.formation, run.manifest.scripts};
  if (spec.artifact.kind == ArtifactKind::kSlug) DAVIT_TRY(note_stack(run, extras));
  const std::string extras_json = extras_to_json(extras);
  for (const auto& [type, command] : run.built.process_types) {
    spec.processes.push_back({type, command, run.built.launcher, extras_json});
  }
  tell_of_unknown_types(run, spec);
  DAVIT_TRY(check_keeps_web(run, spec));
  spec.checks_json = checks_to_json(run.manifest.checks);
  spec.description = fmt::format("Deploy {}", spec.revision.substr(0, kShortRevision));
  return spec;
}

Result<ReleaseSpec> spec_of_rollback(DeploymentRun& run) {
  auto& releases = run.services.store.releases();
  std::uint32_t version = run.request.value("version", 0U);
  if (version == 0) {
    DAVIT_TRY_ASSIGN(const auto previous, releases.previous_live(run.app.id));
    if (!previous) {
      return fail(Code::kNotFound, fmt::format("{} has no earlier release that was live", run.app.name),
                  fmt::format("See davit releases:list {}", run.app.name), "no-previous-release");
    }
    version = *previous;
  }
  DAVIT_TRY_ASSIGN(const Release old, releases.get(run.app.id, version));
  if (!old.last_live_at_ms) {
    return fail(Code::kInvalid, fmt::format("Release v{} was never live", version), "Choose one that was",
                "never-live");
  }
  ReleaseSpec spec = old.spec;
  spec.description = fmt::format("Rollback to v{}", version);
  return spec;
}

// config_vars of a buildpack are defaults: they come back with every release of the artifact, under what
// users set.
Result<> put_config(DeploymentRun& run, ReleaseSpec& spec) {
  DAVIT_TRY_ASSIGN(spec.config, config_over_defaults(run.services.store, run.app.id, spec));
  if (run.link_change) move_variable(spec.config, *run.link_change);
  for (const auto& [key, value] : run.settled_config) spec.config.insert_or_assign(key, value);
  return {};
}

Result<std::string> runtime_now(DeploymentRun& run) {
  DAVIT_TRY_ASSIGN(const std::string chosen, runtime_of(run.services.store, run.app.id));
  DAVIT_TRY_ASSIGN(const Runtime* runtime, run.services.capabilities.runtime(chosen));
  return std::string(runtime->id());
}

// A rollback goes back to where its release ran, if that runtime is still there.
Result<std::string> runtime_for(DeploymentRun& run, const ReleaseSpec& spec) {
  const bool was_there = run.deployment.kind == "rollback" && run.services.capabilities.runtime(spec.runtime);
  return was_there ? Result<std::string>(spec.runtime) : runtime_now(run);
}

// Before anything stops. `before`: where such a release ran; "": nowhere yet.
Result<> check_can_run(DeploymentRun& run, const ReleaseSpec& spec, const std::string& before) {
  if (spec.artifact.kind != ArtifactKind::kImage) return {};
  DAVIT_TRY_ASSIGN(const Runtime* runtime, run.services.capabilities.runtime(spec.runtime));
  if (runtime->runs_images()) return {};
  const auto there = run.services.capabilities.runtime(before);
  return fail(Code::kInvalid,
              fmt::format("{} is an image, and the runtime {} runs no images", run.app.name, spec.runtime),
              there && (*there)->runs_images()
                  ? fmt::format("Set it back: davit ps:set {} runtime {}", run.app.name, (*there)->id())
                  : fmt::format("Choose a runtime that does: davit ps:set {} runtime NAME", run.app.name),
              "runtime-without-images");
}

// The release is the same; its slug has been linked to where it will be.
void point_to_slugs_of_new_name(DeploymentRun& run) {
  Artifact& artifact = run.target->spec.artifact;
  if (artifact.kind != ArtifactKind::kSlug) return;
  const auto file = std::filesystem::path(artifact.ref).filename();
  artifact.ref =
      (run.services.home.slugs(run.app.name) / file).lexically_relative(run.services.home.root).string();
}

// What starts again on another runtime than before is a release of its own: it can be rolled back.
Result<> follow_runtime(DeploymentRun& run) {
  DAVIT_TRY_ASSIGN(const std::string now, runtime_now(run));
  if (now == run.target->spec.runtime) return {};
  run.call.out.step(fmt::format("Moving {} from {} to {}", run.app.name, run.target->spec.runtime, now));
  run.plan.makes_release = true;
  return {};
}

Result<ReleaseSpec> spec_of(DeploymentRun& run) {
  ReleaseSpec spec;
  if (run.plan.builds) {
    DAVIT_TRY_ASSIGN(spec, spec_of_build(run));
    DAVIT_TRY(put_config(run, spec));
  } else if (run.deployment.kind == "rollback") {
    DAVIT_TRY_ASSIGN(spec, spec_of_rollback(run));
  } else if (run.target) {  // a start or restart, on another runtime than before
    spec = run.target->spec;
    spec.description.clear();
  } else {
    std::optional<Release> base = run.live;  // or what a clone that was never deployed has
    if (!base) {
      DAVIT_TRY_ASSIGN(base, run.services.store.releases().newest_usable(run.app.id));
    }
    if (!base) {
      return fail(Code::kConflict, fmt::format("{} is not deployed yet", run.app.name), "Push it first",
                  "not-deployed");
    }
    spec = base->spec;
    DAVIT_TRY(put_config(run, spec));
    spec.description = run.text("description", "Change of configuration");
  }
  spec.actor = run.deployment.actor;
  const std::string before = spec.runtime;
  DAVIT_TRY_ASSIGN(spec.runtime, runtime_for(run, spec));
  DAVIT_TRY(check_can_run(run, spec, before));
  if (spec.description.empty()) spec.description = fmt::format("Move to {}", spec.runtime);
  // What a rollback restores is its old release's; everything else is recorded as it is now.
  const bool rolls_back = run.deployment.kind == "rollback";
  if (!(rolls_back && run.request.value("with_scale", false))) {
    DAVIT_TRY_ASSIGN(spec.formation, said_quantities(run, spec));
  }
  if (!(rolls_back && run.request.value("with_domains", false))) {
    DAVIT_TRY_ASSIGN(spec.domains, run.services.store.domains().list(run.app.id));
  }
  return spec;
}

}  // namespace

Result<> release(DeploymentRun& run) {
  if (!run.plan.makes_release) {
    run.target = run.live;
    // A start or restart takes what config:set --no-restart left for it.
    if (run.plan.launches && !run.plan.renames) {
      DAVIT_TRY_ASSIGN(run.target, run.services.store.releases().newest_usable(run.app.id));
    }
    if (!run.target && (run.plan.launches || run.plan.rescales)) {
      return fail(Code::kConflict, fmt::format("{} is not deployed yet", run.app.name), "Push it first",
                  "not-deployed");
    }
    if (run.plan.launches && !run.plan.renames) DAVIT_TRY(follow_runtime(run));
    if (run.plan.renames && run.target) point_to_slugs_of_new_name(run);
    if (!run.plan.makes_release) return {};
  }
  auto& store = run.services.store;
  DAVIT_TRY(journalled(run, {"release", std::string(kHostStep), "release.create", {}, {}}, [&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const ReleaseSpec spec, spec_of(run));
    return store.transaction([&]() -> Result<> {
      DAVIT_TRY_ASSIGN(run.target, store.releases().create(run.app.id, spec));
      return store.journal().set_to_version(run.deployment.id, run.target->version);
    });
  }));
  run.call.out.step(fmt::format("Created release v{}", run.target->version));
  ReleaseEvent event{run.app.name, run.target->version, artifact_of(run.services, *run.target),
                     run.target->spec.description};
  DAVIT_TRY(run_step_hooks(run, "release", Event{event_id::kReleaseAssemble, &event, {}}));
  if (run.plan.runs_release_command) {
    DAVIT_TRY(run_before_deploy(run));
    DAVIT_TRY(run_step_hooks(run, "release", Event{event_id::kReleaseCommand, &event, {}}));
  }
  return {};
}

Result<> undo_release(DeploymentRun& run, std::string_view /*token*/) {
  auto& store = run.services.store;
  DAVIT_TRY_ASSIGN(const Deployment row, store.journal().get(run.deployment.id));
  if (row.to_version) DAVIT_TRY(store.releases().mark_failed(run.app.id, *row.to_version));
  return {};
}

}  // namespace davit
