// The real Deployer: the lock, the journal's row, a detached guard with its worker, and a viewer of its log.
#include "commands/deployer.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "commands/log_viewer.hpp"
#include "commands/worker_client.hpp"
#include "commands/worker_environment.hpp"
#include "guard/detach.hpp"
#include "guard/run_worker.hpp"
#include "lifecycle/identity.hpp"
#include "process/batch.h"
#include "process/files.hpp"

namespace davit {
namespace {

namespace protocol = worker_protocol;

constexpr std::uint64_t kFullBytes = 256 * 1024;

/// What a deployment does now, by its last journalled step.
std::string doing(Store& store, std::string_view id) {
  constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {"fetch", "checking out"}, {"build", "building"},   {"release", "releasing"}, {"launch", "starting"},
      {"check", "checking"},     {"switch", "switching"}, {"drain", "draining"},    {"finish", "finishing"}};
  const auto steps = store.journal().steps(id);
  const std::string_view phase = steps && !steps->empty() ? steps->back().phase : std::string_view();
  for (const auto& [name, word] : kWords) {
    if (name == phase) return std::string(word);
  }
  return "working";
}

void write_text(int fd, const std::string& text) {
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t put = write(fd, text.data() + written, text.size() - written);
    if (put < 0 && errno != EINTR) return;
    if (put > 0) written += static_cast<std::size_t>(put);
  }
}

class GuardedDeployer final : public Deployer {
 public:
  GuardedDeployer(WorkerParts parts, WorkerClient& workers) : parts_(std::move(parts)), workers_(workers) {}

  Result<FileLock> lock(std::string_view app, std::string_view command, bool no_wait, bool even_frozen,
                        const CallContext& context) override {
    DAVIT_TRY_ASSIGN(Store * store, parts_.store());
    DAVIT_TRY(unfrozen(*store, app, even_frozen));
    const auto path = parts_.home.lock(app);
    DAVIT_TRY(make_dirs(path.parent_path(), 0700));
    const LockOwner owner{std::string(command), getpid(), parts_.clock.now_unix_ms()};
    DAVIT_TRY_ASSIGN(FileLock lock, take(path, owner, no_wait, context));
    // While we waited it may have been frozen, or destroyed and made anew.
    DAVIT_TRY_ASSIGN(const App record, unfrozen(*store, app, even_frozen));
    DAVIT_TRY(recover_dead(*store, record, context));
    return lock;
  }

  Result<int> deploy(FileLock lock, const DeployRequest& request, const CallContext& context) override {
    DAVIT_TRY_ASSIGN(Store * store, parts_.store());
    DAVIT_TRY_ASSIGN(const App app, store->apps().get(request.app));
    DAVIT_TRY_ASSIGN(const auto live, store->releases().current(app.id));
    NewDeployment row{app.id, request.kind, request.request_json, context.actor, {}};
    if (live) row.from_version = live->version;
    DAVIT_TRY_ASSIGN(const Deployment deployment, store->journal().open(row));
    const auto log = parts_.home.deploy_log(deployment.id);
    DAVIT_TRY(make_dirs(log.parent_path(), 0700));
    DAVIT_TRY(write_file_volatile(log, "", 0600));

    DetachSpec spec{log, {lock.fd()}};
    DAVIT_TRY_ASSIGN(Detached side, detach(spec));
    if (side.detached_side) guard_deployment(deployment.id, lock.fd(), std::move(side.done), context);
    if (!request.follow) {
      context.out.step(
          fmt::format("Deployment {} runs: davit deploys:output {}", deployment.id, request.app));
      return 0;
    }
    LogViewer viewer(log, context);
    viewer.tell_of_silence([&] { return doing(*store, deployment.id); });
    DAVIT_TRY_ASSIGN(const auto done, viewer.follow(side.viewer.get()));
    if (done && done->exit_code != 0) tell_unlogged(*store, deployment.id, viewer, context);
    if (done) return done->exit_code;
    return fail(Code::kInternal, fmt::format("Deployment {} ended without a word", deployment.id),
                "Any further command on this app finishes it or takes it back; see davit deploys:info",
                "deploy-died");
  }

  Result<int> follow(std::string_view id, bool wait, const CallContext& context) override {
    DAVIT_TRY_ASSIGN(Store * store, parts_.store());
    DAVIT_TRY_ASSIGN(Deployment deployment, store->journal().get(id));
    LogViewer viewer(parts_.home.deploy_log(id), context);
    const bool runs = !is_finished(deployment.state) && deployment.owner && is_alive(*deployment.owner);
    if (wait && runs) {
      viewer.tell_of_silence([&] { return doing(*store, id); });
      // The end of its owner is the end of the log.
      const UniqueFd owner = open_process(*deployment.owner);
      DAVIT_TRY(viewer.follow(owner.get()));
      DAVIT_TRY_ASSIGN(deployment, store->journal().get(id));
    } else {
      DAVIT_TRY(viewer.follow(-1));
    }
    const bool good = deployment.state == DeploymentState::kDone ||
                      deployment.state == DeploymentState::kDraining ||
                      deployment.state == DeploymentState::kCommitted;
    return good || (!is_finished(deployment.state) && !deployment.error) ? 0 : 1;
  }

 private:
  static Result<App> unfrozen(Store& store, std::string_view app, bool even_frozen) {
    DAVIT_TRY_ASSIGN(App record, store.apps().get(app));
    if (!record.locked_at_ms || even_frozen) return record;
    return fail(Code::kDenied, fmt::format("{} is locked against deployments", app),
                fmt::format("Unlock it: davit apps:unlock {}", app), "app-locked");
  }

  // The log is a file: where the disk is full it lacks the reason. The journal may have it, and else we know
  // one.
  void tell_unlogged(Store& store, std::string_view id, const LogViewer& viewer, const CallContext& context) {
    const auto ended = store.journal().get(id);
    if (ended && ended->error) {
      const std::string& message = ended->error->message;
      if (viewer.has_shown(message.substr(0, message.find('\n')))) return;
      context.out.warning(message);
      if (!ended->error->hint.empty()) context.out.warning(ended->error->hint);
    }
    std::error_code error;
    const auto space = std::filesystem::space(parts_.home.root, error);
    if (error || space.available >= kFullBytes) return;
    context.out.warning(fmt::format("No space left on the disk of {}", parts_.home.root.string()));
    context.out.warning("Free some space and repeat the command: what was there before is untouched");
  }

  Result<FileLock> take(const std::filesystem::path& path, const LockOwner& owner, bool no_wait,
                        const CallContext& context) {
    if (no_wait) return FileLock::try_acquire(path, owner);
    LockWait wait;
    wait.on_wait = [&](const LockOwner& holder) {
      context.out.step(fmt::format("Waiting for {} to finish, which began {} ago", holder.command,
                                   duration_text(parts_.clock.now_unix_ms() - holder.since_unix_ms)));
    };
    return FileLock::acquire(path, owner, wait);
  }

  // A deployment that nobody runs any more, although it is not finished: we hold the lock, so it is ours to
  // repair.
  Result<> recover_dead(Store& store, const App& app, const CallContext& context) {
    DAVIT_TRY_ASSIGN(const auto unfinished, store.journal().unfinished(app.id));
    const bool dead = std::any_of(unfinished.begin(), unfinished.end(), [](const Deployment& deployment) {
      return !deployment.owner || !is_alive(*deployment.owner);
    });
    if (!dead) return {};
    DAVIT_TRY_ASSIGN(const auto outcome, workers_.run({"recover", app.name}, false, context));
    if (outcome.exit_code == 0) return {};
    return fail(Code::kConflict, fmt::format("An earlier deployment of {} could not be repaired", app.name),
                "See davit doctor", "recovery-failed");
  }

  WorkerSpec worker_spec(const std::vector<std::string>& operation, int lock_fd, int done_fd,
                         const CallContext& context) const {
    WorkerSpec spec;
    spec.argv = {parts_.installation.worker().string()};
    spec.argv.insert(spec.argv.end(), operation.begin(), operation.end());
    spec.env = worker_environment(parts_, context);
    spec.cwd = "/";
    spec.pass_fds = {{lock_fd, protocol::kLockFd}, {done_fd, protocol::kDoneFd}};
    spec.forward_signals = false;
    return spec;
  }

  // The detached side: never returns. Its fds 1 and 2 are the log. The store is not touched here (it was
  // opened before the fork).
  [[noreturn]] void guard_deployment(const std::string& id, int lock_fd, UniqueFd done,
                                     const CallContext& context) {
    davit_give_way();
    davit_lower_share();  // detach() made a session
    const auto spec = worker_spec({"deploy", id}, lock_fd, done.get(), context);
    const auto ended =
        run_worker_with_recovery(spec, [&](const WorkerResult& result) -> std::optional<WorkerSpec> {
          write_text(2, fmt::format(" !     {}\n", result.message));
          if (!result.hint.empty()) write_text(2, fmt::format(" !     {}\n", result.hint));
          WorkerSpec again = worker_spec({"recover-deployment", id}, lock_fd, done.get(), context);
          std::erase_if(again.env,
                        [](const std::string& entry) { return entry.starts_with(protocol::kFailpoint); });
          return again;
        });
    if (!ended) write_text(2, fmt::format(" !     {}\n", ended.error().text()));
    _exit(ended && ended->first.ok() ? 0 : 1);
  }

  WorkerParts parts_;
  WorkerClient& workers_;
};

}  // namespace

std::unique_ptr<Deployer> make_deployer(WorkerParts parts, WorkerClient& workers) {
  return std::make_unique<GuardedDeployer>(std::move(parts), workers);
}

}  // namespace davit
