// See health_unit.hpp.
#include "worker/health_unit.hpp"

#include <cstdlib>

#include "commands/worker_protocol.hpp"
#include "lifecycle/health_watch.hpp"

namespace davit {
namespace {

namespace protocol = worker_protocol;

constexpr std::string_view kPrefix = "health.";
constexpr std::uint32_t kStopTimeoutMs = 20'000;  // a question to an instance may take its timeout
constexpr std::int64_t kRemoveDeadlineMs = 40'000;

Unit unit_of(Workshop& shop, const std::string& app, std::string_view revision) {
  Unit unit;
  unit.name = std::string(kPrefix) + app;
  unit.argv = {shop.where().installation.worker().string(), "health", app, std::string(revision)};
  const auto keep = [&](const char* name) {
    if (const char* value = std::getenv(name)) unit.env.emplace_back(name, value);
  };
  unit.env = {{protocol::kActor, "system:health"}, {protocol::kFlags, "q"}};
  for (const char* name : {protocol::kHome, protocol::kPluginsToml, protocol::kDisable, protocol::kSafeMode,
                           "PATH", "LANG", "TZ", "HOME"}) {
    keep(name);
  }
  // One arena: the process is single-threaded and lives long.
  unit.env.emplace_back("MALLOC_ARENA_MAX", "1");
  unit.stop_timeout_ms = kStopTimeoutMs;
  unit.restart = RestartPolicy::kOnFailure;  // exit code 0: its revision is not live any more
  unit.umask_bits = 077;
  return unit;
}

// Units of apps that were renamed, or forgotten by a davit that died. One that still watches ends by itself
// as soon as its revision is not live any more.
Result<> sweep(Workshop& shop, Store& store) {
  DAVIT_TRY_ASSIGN(const auto names, shop.supervisor().list(kPrefix));
  for (const std::string& name : names) {
    DAVIT_TRY_ASSIGN(const bool exists, store.apps().exists(std::string_view(name).substr(kPrefix.size())));
    if (exists) continue;
    const auto status = shop.supervisor().status(name);
    if (status && status->phase == UnitPhase::kDown) {
      DAVIT_TRY(shop.supervisor().remove(name, kRemoveDeadlineMs));
    }
  }
  return {};
}

Result<> settle(Workshop& shop, AppId app, const std::string& name) {
  DAVIT_TRY_ASSIGN(Store * store, shop.store());
  DAVIT_TRY_ASSIGN(const std::string revision, revision_to_watch(*store, app));
  if (revision.empty()) {
    DAVIT_TRY(shop.supervisor().remove(std::string(kPrefix) + name, kRemoveDeadlineMs));
  } else {
    DAVIT_TRY(shop.supervisor().ensure(unit_of(shop, name, revision)));
  }
  return sweep(shop, *store);
}

}  // namespace

void settle_health_unit(Workshop& shop, AppId app, const std::string& name) {
  const auto settled = settle(shop, app, name);
  if (!settled) shop.out().warning("The health checks: " + settled.error().text());
}

}  // namespace davit
