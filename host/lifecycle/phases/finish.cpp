// finish: the branch agrees with the release, the scratch is gone, old things are let go of. May happen
// twice.
#include <fmt/format.h>
#include <poll.h>

#include <filesystem>

#include "lifecycle/detached_runs.hpp"
#include "lifecycle/engine.hpp"
#include "lifecycle/identity.hpp"
#include "lifecycle/rename.hpp"
#include "lifecycle/retention.hpp"
#include "lifecycle/run.hpp"
#include "process/files.hpp"
#include "process/unique_fd.hpp"

namespace davit {
namespace {

constexpr int kReceiverWaitMs = 60'000;

// Whoever received the push. None, or one that has ended: not valid().
UniqueFd receiver_of(const DeploymentRun& run) {
  const auto named = run.request.find("receiver");
  if (named == run.request.end() || !named->is_object()) return {};
  return open_process({named->value("boot_id", std::string()), named->value("pid", 0),
                       named->value("start_time", std::uint64_t{0})});
}

// git moves the branch itself when its receive-pack is still there; else nobody does, and it is ours to do.
Result<> move_branch(DeploymentRun& run) {
  const std::string ref = run.text("ref");
  if (ref.empty() || run.text("revision").empty()) return {};
  if (const UniqueFd receiver = receiver_of(run); receiver.valid()) {
    pollfd ready{receiver.get(), POLLIN, 0};
    (void)poll(&ready, 1, kReceiverWaitMs);
  }
  DAVIT_TRY_ASSIGN(const bool moved, run.services.sources.move_ref(
                                         run.app.name, ref, run.text("old_revision"), run.text("revision")));
  if (!moved)
    run.call.out.warning(fmt::format("{} was moved by somebody else meanwhile; it is left as it is", ref));
  return {};
}

// What no release has, such as what run:detached began. Where a runtime other than the live release's cannot
// be asked, it must not keep the app for good.
Result<> remove_all_instances(DeploymentRun& run) {
  DAVIT_TRY_ASSIGN(const auto runtimes, runtimes_of_releases(run.services, run.app.id));
  for (Runtime* runtime : runtimes) {
    auto gone = runtime->remove({OwnerKind::kApp, run.app.name, {}, {}, 0}, true, run.call);
    if (gone) continue;
    if (runtime == runtimes.front()) return gone;
    run.call.out.warning(fmt::format("What {} may have left on {} stays there: {}", run.app.name,
                                     runtime->id(), gone.error().text()));
  }
  return {};
}

// The instances of releases, routes and rows are gone already: what remains are detached runs, files, and the
// app itself.
Result<> forget_app(DeploymentRun& run) {
  DAVIT_TRY_ASSIGN(FileLock lock, lock_detached_runs(run.services, run.app.name, "apps:destroy"));
  DAVIT_TRY(remove_all_instances(run));
  AppEvent event{run.app.name, {}, false};
  run.services.bus.tell(Event{event_id::kAppDestroy, &event, {}}, run.call);
  DAVIT_TRY(run.services.sources.remove(run.app.name));
  DAVIT_TRY(remove_tree(run.services.home.slugs(run.app.name)));
  DAVIT_TRY(remove_tree(run.services.home.cache(run.app.name)));
  DAVIT_TRY(remove_tree(run.services.home.logs() / "apps" / run.app.name));
  // Together: a deployment that is done without that would never be finished, nor one of an app that is gone.
  auto& store = run.services.store;
  DAVIT_TRY(store.transaction([&]() -> Result<> {
    DAVIT_TRY(store.journal().set_state(run.deployment.id, DeploymentState::kDone));
    return store.apps().destroy(run.app.id);
  }));
  lock.release_and_unlink();
  return {};
}

}  // namespace

Result<> finish(DeploymentRun& run) {
  DAVIT_TRY(remove_tree(run.work_dir()));
  if (run.plan.destroys) return forget_app(run);
  if (run.deployment.kind == "push") DAVIT_TRY(move_branch(run));
  if (run.plan.renames) DAVIT_TRY(leave_old_name(run));
  apply_retention(run);
  return {};
}

}  // namespace davit
