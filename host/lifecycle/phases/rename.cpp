// rename: the first phase of a rename, and its end. The new name is kept for the app and gets the slugs
// beside the old one; launch, check and switch then work under the new name, as in any deployment. Nothing of
// the old name is touched before the switch; after it everything of it moves.
#include "lifecycle/rename.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <filesystem>

#include "lifecycle/detached_runs.hpp"
#include "lifecycle/identity.hpp"
#include "lifecycle/step.hpp"
#include "process/files.hpp"
#include "process/unique_fd.hpp"

namespace davit {
namespace {

namespace fs = std::filesystem;

constexpr int kLookMs = 500;

// Deployments that drain know the app, its repository and its instances by the name of now.
Result<> await_others(DeploymentRun& run) {
  DAVIT_TRY_ASSIGN(const auto unfinished, run.services.store.journal().unfinished(run.app.id));
  for (const Deployment& other : unfinished) {
    if (other.id == run.deployment.id || !other.owner) continue;
    const UniqueFd owner = open_process(*other.owner);
    if (owner.valid()) run.call.out.step(fmt::format("Waiting for the end of deployment {}", other.id));
    pollfd end{owner.get(), POLLIN, 0};
    while (owner.valid() && is_alive(*other.owner) && poll(&end, 1, kLookMs) <= 0) {
      if (run.call.cancelled())
        return fail(Code::kCancelled, "The deployment was cancelled", {}, "cancelled");
    }
  }
  return {};
}

// What run:detached began has the old name for good: no command would find it under the new one.
Result<> refuse_with_runs(DeploymentRun& run) {
  DAVIT_TRY_ASSIGN(const DetachedRuns runs,
                   detached_runs(run.services, run.app.id, run.renamed_from, run.call));
  for (const DetachedRun& one : runs.list) {
    const Instance& instance = one.instance;
    if (instance.state != InstanceState::kExited) {
      return fail(Code::kConflict, fmt::format("{} still runs, and cannot be renamed", instance.id),
                  fmt::format("Wait for its end, or: davit run:stop {}", run.renamed_from), "run-goes-on");
    }
    DAVIT_TRY(one.runtime->remove(
        {OwnerKind::kApp, run.renamed_from, instance.revision, instance.process_type, 0}, false, run.call));
  }
  return {};
}

// The same files under both names: old instances' and new ones' releases are both whole until the switch.
Result<> link_slugs(const fs::path& from, const fs::path& to) {
  DAVIT_TRY(remove_tree(to));
  std::error_code error;
  if (!fs::exists(from, error)) return {};
  DAVIT_TRY(make_dirs(to, 0700));
  for (const auto& file : fs::directory_iterator(from, error)) {
    fs::create_hard_link(file.path(), to / file.path().filename(), error);
    if (error) return fail(system_error("link " + file.path().string(), error.value()));
  }
  if (error) return fail(system_error("read " + from.string(), error.value()));
  return {};
}

Result<> move_folder(const fs::path& from, const fs::path& to) {
  std::error_code error;
  if (!fs::exists(from, error)) return {};
  DAVIT_TRY(remove_tree(to));
  fs::rename(from, to, error);
  if (error)
    return fail(system_error(fmt::format("move {} to {}", from.string(), to.string()), error.value()));
  return {};
}

}  // namespace

Result<> rename_app(DeploymentRun& run) {
  DAVIT_TRY(await_others(run));
  // Now, since the drain of another deployment has ended.
  DAVIT_TRY_ASSIGN(run.live_groups, run.services.store.live_groups().of_app(run.app.id));
  run.call.out.step(fmt::format("Renaming {} to {}", run.renamed_from, run.app.name));
  auto& services = run.services;
  DAVIT_TRY_ASSIGN(FileLock lock, lock_detached_runs(services, run.renamed_from, "apps:rename"));
  DAVIT_TRY(refuse_with_runs(run));
  const StepSpec spec{"rename", std::string(kHostStep), "app.rename", {}, {}};
  DAVIT_TRY(journalled(run, spec, [&]() -> Result<> {
    DAVIT_TRY(services.store.apps().reserve_name(run.app.id, run.app.name));
    return link_slugs(services.home.slugs(run.renamed_from), services.home.slugs(run.app.name));
  }));
  lock.release();  // from here on the kept name says it
  AppEvent event{run.app.name, run.renamed_from, true};
  return run_step_hooks(run, "rename", Event{event_id::kAppCopy, &event, {}});
}

// Only while the name is kept for us: afterwards it may be another app's.
Result<> undo_rename(DeploymentRun& run, std::string_view /*token*/) {
  DAVIT_TRY_ASSIGN(const App app, run.services.store.apps().get(run.app.id));
  if (app.other_name != run.app.name) return {};
  DAVIT_TRY(remove_tree(run.services.home.slugs(run.app.name)));
  return run.services.store.apps().reserve_name(run.app.id, std::nullopt);
}

Result<> move_files(DeploymentRun& run) {
  const Home& home = run.services.home;
  DAVIT_TRY(run.services.sources.rename(run.renamed_from, run.app.name));
  DAVIT_TRY(move_folder(home.cache(run.renamed_from), home.cache(run.app.name)));
  return remove_tree(home.slugs(run.renamed_from));
}

// What instances wrote under the old name goes beside what they write under the new one: names have the
// revision.
Result<> move_logs(const Home& home, std::string_view from, std::string_view to) {
  const fs::path old_folder = home.logs() / "apps" / from;
  const fs::path new_folder = home.logs() / "apps" / to;
  std::error_code error;
  if (!fs::exists(old_folder, error)) return {};
  if (!fs::exists(new_folder, error)) return move_folder(old_folder, new_folder);
  for (const auto& entry : fs::directory_iterator(old_folder, error))
    DAVIT_TRY(move_folder(entry.path(), new_folder / entry.path().filename()));
  if (error) return fail(system_error("read " + old_folder.string(), error.value()));
  return remove_tree(old_folder);
}

Result<> leave_old_name(DeploymentRun& run) {
  DAVIT_TRY_ASSIGN(Proxy * proxy, run.services.capabilities.proxy());
  if (proxy != nullptr && run.live) DAVIT_TRY(proxy->remove(run.renamed_from, run.call));
  return move_logs(run.services.home, run.renamed_from, run.app.name);
}

}  // namespace davit
