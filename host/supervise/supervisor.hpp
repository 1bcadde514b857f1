// Supervisor: the home's one s6 tree. Units by name: ensure, status, signal, stop, remove, wait. It is not a
// daemon of ours: s6 is, and any process of the owner may use a Supervisor on the same folder at the same
// time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "process/cancel.hpp"
#include "supervise/unit.hpp"

namespace davit {

enum class UnitPhase {
  kDown,      ///< nothing runs: stopped, or ended for good
  kWaiting,   ///< before the next start: backoff, or an older copy that is not gone yet
  kUp,        ///< the program runs
  kStopping,  ///< got its stop signal
};

struct UnitStatus {
  UnitPhase phase = UnitPhase::kDown;
  bool up = false;         ///< phase is kUp
  bool wanted_up = false;  ///< s6 would start it again
  bool ready = false;      ///< with notify_fd: it said so; without: same as up
  bool limited = false;    ///< the cgroup limits asked for are in force
  pid_t pid = 0;  ///< of the program (in a sandbox: of davit-init, as seen from outside); 0 when not up
  UnixMs since_unix_ms = 0;           ///< of the current phase
  std::uint64_t starts = 0;           ///< of the program, since ensure() made or replaced the unit
  std::uint64_t exits = 0;            ///< ends of the program, also by kill -9 of its parents
  unsigned quick_failures = 0;        ///< in a row: what drives the backoff
  std::optional<int> last_exit_code;  ///< of the last end; nullopt: none yet, or a signal
  int last_signal = 0;
};

enum class WaitFor { kUp, kReady, kDown, kExits };

struct WaitSpec {
  WaitFor what = WaitFor::kUp;
  std::uint64_t exits = 0;       ///< kExits: until status.exits >= this
  std::int64_t deadline_ms = 0;  ///< from now; 0: for ever
  std::optional<CancelToken> cancel;
};

struct SupervisorSettings {
  std::filesystem::path folder;         ///< Home::supervise(): run/s6, made if missing (0700)
  std::filesystem::path unit_program;   ///< libexec/davit/davit-unit, absolute
  std::filesystem::path adopt_program;  ///< libexec/davit/davit-adopt
  unsigned max_units = 20'000;
  std::int64_t start_deadline_ms = 10'000;  ///< for s6-svscan and each s6-supervise to come up
};

/// Threads: any (every call locks what it changes by a file lock). Nothing here leaves a child of the caller
/// behind.
class Supervisor {
 public:
  virtual ~Supervisor() = default;

  /// The tree runs afterwards. Idempotent. Starts what was left wanted (after a reboot, all of it); after a
  /// kill of s6-svscan takes the running units over without touching them. Returns true if it had to start
  /// s6-svscan.
  virtual Result<bool> ensure_tree() = 0;
  /// As ensure_tree(); if it has to start s6-svscan, what is not running and `held` stays down until
  /// release_held(), or until one of them is asked for by ensure().
  virtual Result<bool> ensure_tree_holding(const std::function<bool(std::string_view)>& held) {
    (void)held;
    return ensure_tree();
  }
  virtual Result<> release_held() { return {}; }
  /// Everything down and waited for; definitions stay, and ensure_tree() brings them back. Not running:
  /// success.
  virtual Result<> stop_tree(std::int64_t deadline_ms) = 0;
  [[nodiscard]] virtual bool tree_running() const = 0;

  /// The unit exists with exactly this definition and is wanted up. The same definition: nothing happens,
  /// except that a unit that is down is brought up. Another one: the old is stopped and waited for, then
  /// replaced. Starts the tree if needed. Returns when s6 runs it, not when the program is up: wait() for
  /// that.
  virtual Result<> ensure(const Unit& unit) = 0;
  /// kNotFound if no such unit.
  [[nodiscard]] virtual Result<UnitStatus> status(std::string_view name) const = 0;
  /// Names that begin with `prefix`, sorted.
  [[nodiscard]] virtual Result<std::vector<std::string>> list(std::string_view prefix = {}) const = 0;
  /// To the program (in a sandbox: to davit-init, which hands it to all). kConflict if it is not up.
  virtual Result<> signal(std::string_view name, int signal) = 0;
  /// Stop signal now; returns at once, wait(kDown) for the end. It stays down over a restart of the tree.
  virtual Result<> down(std::string_view name) = 0;
  /// Wanted up again, with a fresh backoff.
  virtual Result<> up(std::string_view name) = 0;
  /// Stops (stop signal, stop timeout, SIGKILL), waits, and forgets it: no process, file, lock or cgroup is
  /// left but its log. Past the deadline (0: the unit's stop timeout + 10 s): kTimeout, and a later remove()
  /// goes on. No such unit: success.
  virtual Result<> remove(std::string_view name, std::int64_t deadline_ms) = 0;

  /// Waits by events (inotify). Errors: kTimeout, kCancelled, kNotFound (also if it is removed meanwhile);
  /// for kUp and kReady kFailed as soon as it has ended for good. Every error of the first two kinds holds
  /// the last status in its message.
  virtual Result<UnitStatus> wait(std::string_view name, const WaitSpec& spec) = 0;
};

std::unique_ptr<Supervisor> make_supervisor(SupervisorSettings settings);

}  // namespace davit
