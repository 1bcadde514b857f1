// Detached runs: what run:detached began. Each belongs to its app and to no release of it: no deployment
// replaces it, a rename is refused while one goes on, a destroy ends it.
#pragma once

#include <string>
#include <vector>

#include "lifecycle/services.hpp"
#include "process/file_lock.hpp"

namespace davit {

/// The runtimes of the app's releases, the live one's first; without those that are not enabled any more.
Result<std::vector<Runtime*>> runtimes_of_releases(const LifecycleServices& services, AppId app);

struct DetachedRun {
  Runtime* runtime = nullptr;
  Instance instance;
};
struct DetachedRuns {
  std::vector<DetachedRun> list;  ///< those that have ended too
  bool is_complete = true;        ///< false: a runtime could not be asked, and a warning says so
};
/// Of all runtimes of the app's releases. That of the live release has to answer.
/// `name`: the app's, or the one that it had before a rename.
Result<DetachedRuns> detached_runs(const LifecycleServices& services, AppId app, const std::string& name,
                                   const CallContext& call);

/// Held by whoever begins one, until it is there, and by what must not miss one: a rename and a destroy.
/// `command`: who holds it.
Result<FileLock> lock_detached_runs(const LifecycleServices& services, std::string_view app,
                                    std::string_view command);

}  // namespace davit
