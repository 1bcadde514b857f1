// See detached_runs.hpp.
#include "lifecycle/detached_runs.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "lifecycle/processes.hpp"
#include "process/files.hpp"

namespace davit {
namespace {

constexpr std::int64_t kLockWaitMs = 120'000;  // for as long as a runtime may take to begin some of them

}  // namespace

Result<std::vector<Runtime*>> runtimes_of_releases(const LifecycleServices& services, AppId app) {
  std::vector<Runtime*> found;
  const auto add = [&](const std::string& id) -> Result<> {
    const auto runtime = services.capabilities.runtime(id);
    if (!runtime && runtime.error().code != Code::kNotFound) return fail(runtime.error());
    if (runtime && std::ranges::find(found, *runtime) == found.end()) found.push_back(*runtime);
    return {};
  };
  DAVIT_TRY_ASSIGN(const auto live, services.store.releases().current(app));
  if (live) DAVIT_TRY(add(live->spec.runtime));
  DAVIT_TRY_ASSIGN(const auto releases, services.store.releases().list(app));
  for (const ReleaseSummary& release : releases) DAVIT_TRY(add(release.runtime));
  return found;
}

Result<DetachedRuns> detached_runs(const LifecycleServices& services, AppId app, const std::string& name,
                                   const CallContext& call) {
  DetachedRuns runs;
  DAVIT_TRY_ASSIGN(const auto runtimes, runtimes_of_releases(services, app));
  for (Runtime* runtime : runtimes) {
    auto instances = runtime->inspect({OwnerKind::kApp, name, {}, std::string(kRunType), 0}, call);
    if (!instances) {
      if (runtime == runtimes.front()) return fail(std::move(instances).error());
      call.out.warning(fmt::format("What {} may still run on {} is not known: {}", name, runtime->id(),
                                   instances.error().text()));
      runs.is_complete = false;
      continue;
    }
    for (Instance& instance : *instances)
      if (is_detached_run(instance)) runs.list.push_back({runtime, std::move(instance)});
  }
  return runs;
}

Result<FileLock> lock_detached_runs(const LifecycleServices& services, std::string_view app,
                                    std::string_view command) {
  // No app and no kind of service has a name that begins so.
  const auto path = services.home.lock(":run:" + std::string(app));
  DAVIT_TRY(make_dirs(path.parent_path(), 0700));
  LockWait wait;
  wait.deadline_ms = kLockWaitMs;
  return FileLock::acquire(path, {std::string(command), getpid(), services.clock.now_unix_ms()}, wait);
}

}  // namespace davit
