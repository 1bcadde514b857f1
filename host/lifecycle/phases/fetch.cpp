// fetch: the pushed tree, checked out into the deployment's scratch, and what it says about checks.
#include <fmt/format.h>

#include <filesystem>

#include "base/defaults.hpp"
#include "lifecycle/step.hpp"
#include "lifecycle/undo.hpp"
#include "lifecycle/variables.hpp"
#include "process/files.hpp"

namespace davit {
namespace {

constexpr std::size_t kMaxManifestBytes = 1024 * 1024;

Result<> read_manifest(DeploymentRun& run) {
  const std::filesystem::path root(run.source_dir);
  const std::string path = run.property("app-json", "appjson-path", "app.json");
  if (const auto text = read_file(root / path, kMaxManifestBytes)) {
    auto manifest = manifest_of_app_json(*text);
    if (!manifest) return path == "app.json" ? fail(manifest.error()) : fail(manifest.error(), path);
    run.manifest = std::move(*manifest);
  } else if (text.error().code != Code::kNotFound) {
    return fail(text.error(), fmt::format("reading {}", path));
  }
  for (const std::string& line : run.manifest.warnings) run.call.out.warning(line);
  if (!run.manifest.checks.empty()) return {};
  if (const auto text = read_file(root / "CHECKS", kMaxManifestBytes)) {
    DAVIT_TRY_ASSIGN(run.manifest.checks, checks_of_checks_file(*text));
  } else if (text.error().code != Code::kNotFound) {
    return fail(text.error(), "reading CHECKS");
  }
  return {};
}

}  // namespace

Result<> fetch(DeploymentRun& run) {
  std::string revision = run.text("revision");
  if (revision.empty() && run.live) revision = run.live->spec.revision;
  if (revision.empty()) {
    return fail(Code::kNotFound, "There is nothing to build yet",
                fmt::format("Push something: git push davit main"), "nothing-to-build");
  }
  run.source_dir = run.work_dir() + "/source";
  SourceLimits limits{run.number_property("git", "max-tree-bytes", defaults::kMaxTreeBytes),
                      run.number_property("git", "max-files", defaults::kMaxFiles)};
  DAVIT_TRY(journalled(
      run, {"fetch", std::string(kHostStep), "source.checkout", {}, run.work_dir()}, [&]() -> Result<> {
        DAVIT_TRY(run.services.sources.keep(run.app.name, revision, run.deployment.id));
        DAVIT_TRY(make_dirs(run.source_dir, 0700));
        DAVIT_TRY_ASSIGN(run.source, run.services.sources.check_out(run.app.name, revision, run.source_dir,
                                                                    limits, run.call));
        return {};
      }));
  SourceEvent event{run.app.name, run.source_dir, run.source.revision, run.text("ref")};
  DAVIT_TRY(run.services.bus.ask(Event{event_id::kSourceReceive, &event, {}}, run.call));
  DAVIT_TRY(run.services.bus.filter(Event{event_id::kSourcePrepare, &event, {}}, run.call));
  DAVIT_TRY(read_manifest(run));
  return settle_variables(run);
}

Result<> undo_checkout(DeploymentRun& run, std::string_view /*token*/) {
  DAVIT_TRY(remove_tree(run.work_dir()));
  return run.services.sources.forget(run.app.name, run.deployment.id);
}

}  // namespace davit
