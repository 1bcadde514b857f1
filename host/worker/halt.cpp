// See halt.hpp.
#include "worker/halt.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "base/text.hpp"
#include "lifecycle/identity.hpp"
#include "process/files.hpp"

namespace davit {
namespace {

namespace fs = std::filesystem;

constexpr MonoMs kLookEveryMs = 200;    // another deployment may have had the lock before us
constexpr MonoMs kAfterKillMs = 5'000;  // for the kernel to clear up

void send(const UniqueFd& process, int signal) {
  ::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0);
}

// The parent of each process there is.
std::map<pid_t, pid_t> all_parents() {
  std::map<pid_t, pid_t> parents;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;
    std::from_chars(name.data(), name.data() + name.size(), pid);
    if (pid <= 0) continue;
    std::ifstream file(entry.path() / "stat");
    std::string line;
    std::getline(file, line);
    const auto close = line.rfind(')');
    if (close == std::string::npos) continue;                                  // it has ended meanwhile
    const auto words = split_words(std::string_view(line).substr(close + 1));  // state parent ...
    if (words.size() > 1) std::from_chars(words[1].data(), words[1].data() + words[1].size(), parents[pid]);
  }
  return parents;
}

// Parents before their children: what is killed cannot start another.
std::vector<pid_t> with_descendants(pid_t root, const std::map<pid_t, pid_t>& parents) {
  std::vector<pid_t> found{root};
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (const auto& [pid, parent] : parents) {
      if (parent == found[i]) found.push_back(pid);
    }
  }
  return found;
}

bool before_switch(const Deployment& deployment) {
  return deployment.state == DeploymentState::kQueued || deployment.state == DeploymentState::kRunning;
}

bool runs(const Deployment& deployment) {
  return deployment.owner && is_alive(*deployment.owner);
}

class Halt {
 public:
  Halt(Workshop& shop, Store& store, AppLocks& locks)
      : shop_(shop), store_(store), locks_(locks), limit_(shop.clock().now_mono_ms() + kHaltLimitMs) {}

  Result<bool> run() {
    DAVIT_TRY_ASSIGN(const auto unfinished, store_.journal().unfinished());
    for (const Deployment& deployment : unfinished) {
      if (!locks_.contains(deployment.app_name)) DAVIT_TRY(take_lock(deployment.app_name));
    }
    DAVIT_TRY(await_all());
    return found_;
  }

 private:
  // Cancels what is before its switch; says what is waited for.
  Result<std::vector<Deployment>> ask_all() {
    DAVIT_TRY_ASSIGN(auto open, store_.journal().unfinished());
    std::erase_if(open, [](const Deployment& deployment) { return !runs(deployment); });
    for (const Deployment& deployment : open) {
      if (!asked_.insert(deployment.id).second) continue;
      found_ = true;
      if (!before_switch(deployment)) {
        shop_.out().step(
            fmt::format("Waiting for the end of deployment {} of {}", deployment.id, deployment.app_name));
        continue;
      }
      shop_.out().step(fmt::format("Cancelling deployment {} of {}", deployment.id, deployment.app_name));
      DAVIT_TRY_ASSIGN(const bool in_time, store_.journal().request_cancel(deployment.id));
      const UniqueFd owner = open_process(*deployment.owner);
      if (in_time && owner.valid()) send(owner, SIGTERM);  // wakes a worker that waits for a program
    }
    return open;
  }

  // Whoever holds it is a deployment, or is about to begin one.
  Result<> take_lock(const std::string& app) {
    const auto path = shop_.home().lock(app);
    DAVIT_TRY(make_dirs(path.parent_path(), 0700));
    const LockOwner owner{"system:stop", ::getpid(), shop_.clock().now_unix_ms()};
    LockWait wait;
    wait.deadline_ms = kLookEveryMs;
    for (;;) {
      DAVIT_TRY_ASSIGN(const auto open, ask_all());
      auto lock = FileLock::acquire(path, owner, wait);
      if (lock) {
        locks_.emplace(app, std::move(*lock));
        return {};
      }
      if (lock.error().code != Code::kTimeout) return fail(lock.error());
      found_ = true;  // if it has not said yet who it is, too
      if (shop_.clock().now_mono_ms() < limit_) continue;
      if (killed_) return fail(lock.error());
      kill_all(open);
    }
  }

  // What drains is outside the locks.
  Result<> await_all() {
    for (;;) {
      DAVIT_TRY_ASSIGN(const auto open, ask_all());
      if (open.empty()) return {};
      const UniqueFd process = open_process(*open.front().owner);
      if (process.valid()) await(process.get());
      if (shop_.clock().now_mono_ms() < limit_) continue;
      if (killed_) return fail(Code::kTimeout, fmt::format("Deployment {} does not end", open.front().id));
      kill_all(open);
    }
  }

  void kill_all(const std::vector<Deployment>& open) {
    killed_ = true;
    const auto parents = all_parents();
    std::vector<UniqueFd> ends;
    for (const Deployment& deployment : open) {
      shop_.out().warning(
          fmt::format("Deployment {} of {} takes too long and is cut; the next davit system:start "
                      "finishes it or takes it back",
                      deployment.id, deployment.app_name));
      // The guard first: it would start a worker that repairs.
      const auto guard = parents.find(deployment.owner->pid);
      if (guard != parents.end() && is_davit(guard->second)) kill_now(guard->second, ends);
      for (const pid_t pid : with_descendants(deployment.owner->pid, parents)) kill_now(pid, ends);
    }
    limit_ = shop_.clock().now_mono_ms() + kAfterKillMs;
    for (const UniqueFd& end : ends) await(end.get());
  }

  // The end of a process, or the limit.
  void await(int pidfd) const {
    pollfd end{pidfd, POLLIN, 0};
    (void)::poll(&end, 1, static_cast<int>(std::max<MonoMs>(0, limit_ - shop_.clock().now_mono_ms())));
  }

  [[nodiscard]] bool is_davit(pid_t pid) const {
    std::error_code ignored;
    return fs::equivalent(fmt::format("/proc/{}/exe", pid), shop_.where().installation.davit(), ignored);
  }

  static void kill_now(pid_t pid, std::vector<UniqueFd>& ends) {
    UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!process.valid()) return;  // it has ended
    send(process, SIGKILL);
    ends.push_back(std::move(process));
  }

  Workshop& shop_;
  Store& store_;
  AppLocks& locks_;
  MonoMs limit_;
  bool found_ = false;
  bool killed_ = false;
  std::set<std::string> asked_;
};

}  // namespace

Result<bool> halt_deployments(Workshop& shop, AppLocks& locks) {
  DAVIT_TRY_ASSIGN(Store * store, shop.store());
  return Halt(shop, *store, locks).run();
}

}  // namespace davit
