// health REVISION: the process of a health watch, a unit of the home's supervision for as long as a release
// with liveness or readiness checks is live.
#include <fmt/format.h>
#include <malloc.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>

#include "lifecycle/health_watch.hpp"
#include "process/file_lock.hpp"
#include "process/files.hpp"
#include "worker/health_unit.hpp"

namespace davit {
namespace {

constexpr MonoMs kAfterTroubleMs = 5'000;

std::shared_ptr<void> try_lock(Workshop& shop, const App& app) {
  const LockOwner owner{"health checks", getpid(), shop.clock().now_unix_ms()};
  const auto path = shop.home().lock(app.name);
  if (!make_dirs(path.parent_path(), 0700)) return nullptr;
  auto lock = FileLock::try_acquire(path, owner);
  if (!lock) return nullptr;
  return std::make_shared<FileLock>(std::move(*lock));
}

// Until then, or until somebody asks us to stop.
void wait(const Workshop& shop, MonoMs wait_ms) {
  pollfd asked{shop.where().cancel ? shop.where().cancel->fd() : -1, POLLIN, 0};
  (void)poll(&asked, 1, static_cast<int>(std::clamp<MonoMs>(wait_ms, 0, 60'000)));
}

}  // namespace

Result<int> watch_health(Workshop& shop, Words words) {
  if (words.size() != 2) return fail(Code::kInternal, "health takes an app and the revision that is live");
  shop.context().app = words[0];
  shop.context().deployment = words[1];
  DAVIT_TRY_ASSIGN(const LifecycleServices services, shop.lifecycle());
  HealthWatch watch(
      services, shop.context(), words[1],
      {[&](const App& app) { return try_lock(shop, app); }, [&](std::string_view line) { shop.log(line); }});
  std::string last_trouble;
  bool settled = false;
  while (!shop.context().cancelled()) {
    const auto next = watch.round();
    if (!next) {
      // A proxy or a runtime that does not answer just now: said once, tried again.
      if (next.error().text() != last_trouble) shop.log("health app=" + words[0] + " " + next.error().text());
      last_trouble = next.error().text();
      wait(shop, kAfterTroubleMs);
      continue;
    }
    last_trouble.clear();
    if (!*next) return 0;
    if (!settled) malloc_trim(0);  // what the start needed, and the rounds do not
    settled = true;
    wait(shop, **next);
  }
  return 0;
}

}  // namespace davit
