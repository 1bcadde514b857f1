// Deployments: run one, repair one, repair all. The lock and the viewer's pipe are descriptors that the guard
// handed down.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "commands/worker_protocol.hpp"
#include "lifecycle/routes.hpp"
#include "process/file_lock.hpp"
#include "process/files.hpp"
#include "worker/health_unit.hpp"
#include "worker/operations.hpp"

namespace davit {
namespace {

namespace protocol = worker_protocol;

// Everything that can be said to the outside once: first the log, then the lock, then the viewer.
class Ending {
 public:
  explicit Ending(Workshop& shop) : shop_(shop) {
    for (const int fd : {protocol::kLockFd, protocol::kDoneFd}) (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
  }

  void tell(std::string_view state, int exit_code) {
    if (told_) return;
    told_ = true;
    shop_.out().flush();
    (void)flock(protocol::kLockFd, LOCK_UN);
    const std::string line = fmt::format("{} {}\n", state, exit_code);
    (void)!write(protocol::kDoneFd, line.data(), line.size());
    close(protocol::kDoneFd);
  }

 private:
  Workshop& shop_;
  bool told_ = false;
};

void show_error(Workshop& shop, const Error& error) {
  shop.out().warning(error.text());
  if (!error.hint.empty()) shop.out().warning(error.hint);
}

// Cancelled by the journal's flag, which is looked at a few times a second, or by a signal to the worker.
void watch_for_cancel(Workshop& shop, Store& store, const std::string& id) {
  constexpr MonoMs kLookEveryMs = 200;
  shop.context().cancelled = [&shop, &store, id, outer = shop.context().cancelled, next = MonoMs{0},
                              asked = false]() mutable {
    if (outer()) return true;
    const MonoMs now = shop.clock().now_mono_ms();
    if (!asked && now >= next) {
      next = now + kLookEveryMs;
      asked = store.journal().cancel_requested(id).value_or(false);
    }
    return asked;
  };
}

Result<AppId> identify(Workshop& shop, Store& store, const std::string& id) {
  DAVIT_TRY_ASSIGN(const Deployment deployment, store.journal().get(id));
  shop.context().deployment = id;
  shop.context().app = deployment.app_name;
  shop.context().actor = deployment.actor;
  return deployment.app;
}

// Under its name of now: the deployment may have renamed it, or destroyed it.
void settle_watch(Workshop& shop, Store& store, AppId id) {
  const auto app = store.apps().get(id);
  settle_health_unit(shop, id, app ? app->name : shop.context().app);
}

// Whoever holds the app's lock settles its watch at the end of what they do.
void settle_if_free(Workshop& shop, const App& app) {
  const auto path = shop.home().lock(app.name);
  if (!make_dirs(path.parent_path(), 0700)) return;
  const auto lock = FileLock::try_acquire(path, {"system:start", getpid(), shop.clock().now_unix_ms()});
  if (lock) settle_health_unit(shop, app.id, app.name);
}

}  // namespace

Result<int> run_deployment(Workshop& shop, Words words) {
  if (words.size() != 1) return fail(Code::kInternal, "deploy takes the id of a deployment");
  Ending ending(shop);
  DAVIT_TRY_ASSIGN(Store * store, shop.store());
  DAVIT_TRY_ASSIGN(const AppId app, identify(shop, *store, words[0]));
  watch_for_cancel(shop, *store, words[0]);
  auto services = shop.lifecycle([&] {
    settle_watch(shop, *store, app);
    ending.tell("committed", 0);
  });
  if (!services) {
    const Error& error = services.error();
    DAVIT_TRY(store->journal().fail_with(words[0], DeploymentState::kFailed,
                                         {error.slug, error.text(), error.hint, {}}));
    show_error(shop, error);
    ending.tell("failed", 1);
    return 1;
  }
  const auto done = Engine(std::move(*services)).run(words[0], shop.context());
  if (!done) {
    show_error(shop, done.error());
    ending.tell("failed", 1);
    return 1;
  }
  return 0;
}

Result<int> recover_deployment(Workshop& shop, Words words) {
  if (words.size() != 1) return fail(Code::kInternal, "recover-deployment takes the id of a deployment");
  Ending ending(shop);
  DAVIT_TRY_ASSIGN(Store * store, shop.store());
  DAVIT_TRY_ASSIGN(const AppId app, identify(shop, *store, words[0]));
  DAVIT_TRY_ASSIGN(LifecycleServices services, shop.lifecycle([&] { settle_watch(shop, *store, app); }));
  if (const auto back = Engine(std::move(services)).recover(words[0], shop.context()); !back) {
    show_error(shop, back.error());
    ending.tell("failed", 1);
    return 1;
  }
  DAVIT_TRY_ASSIGN(const Deployment deployment, store->journal().get(words[0]));
  const bool good = deployment.state == DeploymentState::kDone;
  ending.tell(name_of(deployment.state), good ? 0 : 1);
  return 0;
}

Result<int> recover(Workshop& shop, Words words) {
  DAVIT_TRY_ASSIGN(Store * store, shop.store());
  DAVIT_TRY_ASSIGN(LifecycleServices services, shop.lifecycle());
  Engine engine(std::move(services));
  if (words.size() == 1 && words[0] == "--all") {
    const auto recovered = engine.recover_all(shop.context());
    DAVIT_TRY_ASSIGN(const auto apps, store->apps().list());
    for (const App& app : apps) settle_if_free(shop, app);
    DAVIT_TRY(recovered);
    return 0;
  }
  for (const std::string& name : words) {  // our caller holds their locks
    DAVIT_TRY_ASSIGN(const App app, store->apps().get(name));
    DAVIT_TRY(engine.recover(app.id, shop.context()));
    settle_health_unit(shop, app.id, app.name);
  }
  return 0;
}

Result<int> reroute(Workshop& shop, Words words) {
  DAVIT_TRY_ASSIGN(LifecycleServices services, shop.lifecycle());
  return reroute_apps(services, words, shop.context()) ? 0 : 1;
}

}  // namespace davit
