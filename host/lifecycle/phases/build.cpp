// build: the builder makes an artifact of the tree; its output streams to the pusher.
#include <fmt/format.h>

#include <filesystem>

#include "lifecycle/environment.hpp"
#include "lifecycle/masked_output.hpp"
#include "lifecycle/step.hpp"
#include "lifecycle/undo.hpp"
#include "process/files.hpp"

namespace davit {

BuildInput build_input(const DeploymentRun& run);  // detect.cpp

namespace {

constexpr std::uint64_t kMinimumFreeBytes = 256ULL * 1024 * 1024;

constexpr std::uint64_t kSlugCopies = 4;

constexpr std::uint64_t kFullBytes = 1024 * 1024;

std::uint64_t free_bytes(const DeploymentRun& run) {
  std::error_code error;
  const auto space = std::filesystem::space(run.services.home.root, error);
  return error ? ~0ULL : space.available;
}

// What a failed build wrote goes before anything else happens: it may have filled the disk, which the journal
// needs too.
Error after_failure(const DeploymentRun& run, Error error) {
  if (free_bytes(run) < kFullBytes) {
    error.message = fmt::format("The disk of the davit home is full: {}", error.message);
    error.hint = "Make room on it; what the build wrote is removed, and the running release is not touched";
  }
  (void)remove_tree(run.work_dir());  // undo_build does it again, and says so if it fails
  return error;
}

// A new slug beside the old one, and unpacked for an instance, as far as the last one tells.
Result<> require_free_disk(const DeploymentRun& run) {
  const std::uint64_t available = free_bytes(run);
  std::uint64_t needed = kMinimumFreeBytes;
  if (run.live) needed += kSlugCopies * run.live->spec.artifact.size_bytes;
  if (available >= needed) return {};
  return fail(Code::kUnavailable,
              fmt::format("The disk of {} has {} MiB free, and a build of {} needs about {} MiB",
                          run.services.home.root.string(), available >> 20, run.app.name, needed >> 20),
              "See what can go with davit system:collect --dry-run, or make room on that disk", "disk-low");
}

// Neither the builder's output nor its error shows a secret, whoever the builder is.
Result<BuildOutput> build_masked(DeploymentRun& run, const BuildInput& input, const TextMap& secrets) {
  const Masks masks(secrets);
  MaskedOutput out(run.call.out, masks);
  const CallContext& call = run.call;
  const CallContext masked{.actor = call.actor,
                           .app = call.app,
                           .deployment = call.deployment,
                           .deadline_mono_ms = call.deadline_mono_ms,
                           .quiet = call.quiet,
                           .force = call.force,
                           .trace = call.trace,
                           .tty = call.tty,
                           .out = out,
                           .cancelled = call.cancelled};
  auto made = run.builder->build(input, masked);
  out.flush();
  if (made) return made;
  Error error = std::move(made).error();
  error.message = masks.applied_to(error.message);
  error.hint = masks.applied_to(error.hint);
  return fail(std::move(error));
}

}  // namespace

Result<> build(DeploymentRun& run) {
  DAVIT_TRY(require_free_disk(run));
  BuildInput input = build_input(run);
  TextMap secrets;
  DAVIT_TRY_ASSIGN(input.env, resolve_build_environment(run, secrets));
  run.call.out.step(fmt::format("Building {} with {}", run.app.name, run.builder->id()));
  TextMap options;
  BuildEvent event{run.app.name, run.source_dir, std::string(run.builder->id()), 0, options};
  auto built =
      journalled(run, {"build", std::string(kHostStep), "build.run", {}, run.work_dir()}, [&]() -> Result<> {
        DAVIT_TRY(make_dirs(input.work_dir, 0700));
        DAVIT_TRY(make_dirs(input.cache_dir, 0700));
        auto made = build_masked(run, input, secrets);
        if (!made) return fail(after_failure(run, std::move(made).error()));
        run.built = std::move(*made);
        return {};
      });
  event.status = built ? 0 : static_cast<std::int32_t>(built.error().code) + 1;
  run.services.bus.tell(Event{event_id::kBuildFinished, &event, {}}, run.call);
  if (!built) return built;
  // The tree has done its work; the disk is wanted for the instances.
  return remove_tree(run.source_dir);
}

Result<> undo_build(DeploymentRun& run, std::string_view /*token*/) {
  // A build outlives a killed davit where an engine runs it. Asked what it has, a runtime ends what nobody
  // waits for any more; one that does not answer now is asked again by the next command, and holds up nothing
  // here.
  if (auto runtime = run.services.capabilities.runtime(run.property("ps", "runtime", ""));
      runtime && *runtime) {
    (void)(*runtime)->list_owned(run.call);
    // With an instance goes what the runtime made for the app's first task: a network, say. Here none was
    // started.
    (void)(*runtime)->remove({OwnerKind::kApp, run.app.name, run.deployment.id, {}, 0}, false, run.call);
  }
  return remove_tree(run.work_dir());
}

}  // namespace davit
