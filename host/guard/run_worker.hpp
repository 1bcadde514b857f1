// run_worker: the guard. Starts a worker process, waits, and when the worker crashed, hung or left by exit(),
// says which plugin did it, in which event, and how to go on without that plugin. Knows nothing of plugins,
// the store or the journal.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "guard/breadcrumb.hpp"
#include "process/cancel.hpp"
#include "process/process_runner.hpp"

namespace davit {

/// In the worker: the environment variable that holds the number of the page's descriptor.
inline constexpr const char* kBreadcrumbFdVariable = "DAVIT_BREADCRUMB_FD";

struct WorkerSpec {
  std::vector<std::string> argv;  ///< argv[0]: the absolute path of davit-worker
  std::vector<std::string> env;   ///< complete; the guard adds DAVIT_BREADCRUMB_FD
  std::string cwd;                ///< "" keeps ours
  std::vector<PassFd> pass_fds;   ///< the lock, notify pipes: only the worker gets them. `as` from 10 up
  int in = 0, out = 1, err = 2;   ///< borrowed
  std::int64_t deadline_ms = 0;   ///< for the whole worker; 0: none
  std::int64_t kill_after_ms =
      2'000;  ///< at a deadline: SIGTERM, then SIGKILL after this (the worker's engine may clean up)
  std::int64_t watch_interval_ms =
      250;                            ///< how often the page's deadline is looked at while calls come and go
  bool forward_signals = true;        ///< attached: SIGINT, SIGTERM, SIGHUP of ours go to the worker
  std::optional<CancelToken> cancel;  ///< cancelled: SIGTERM, after kill_after_ms SIGKILL
};

enum class WorkerEnd {
  kFinished,   ///< made its end mark and returned its code
  kCrashed,    ///< a signal that nobody asked for
  kEarlyExit,  ///< exit() without the end mark
  kDeadline,   ///< a call's or the worker's deadline passed; the guard killed it
  kCancelled,  ///< by the token or by a forwarded signal
};

struct WorkerResult {
  WorkerEnd end = WorkerEnd::kFinished;
  int exit_code = -1;  ///< -1 if a signal ended it
  int signal = 0;
  Crumb last;           ///< the call that ran at the end; last.plugin is "" if none did
  std::string message;  ///< for the operator, without a final full stop; "" for kFinished
  std::string hint;

  [[nodiscard]] bool ok() const { return end == WorkerEnd::kFinished && exit_code == 0; }
  /// What the guard's own process should return: the code, 128 + signal, or 70 for a fault of a plugin.
  [[nodiscard]] int shell_code() const;
};

/// Blocks until the worker is gone and reaped. The worker dies with us (PR_SET_PDEATHSIG SIGKILL).
/// Call from the main thread of a program without other threads: signals are read through signalfd meanwhile.
/// Errors: only when the worker could not be started.
Result<WorkerResult> run_worker(const WorkerSpec& spec);

/// run_worker, and if the worker did not finish: `recovery` makes the spec of a fresh worker (with the
/// journal's deployment), which is run while the caller still holds the lock. At most `attempts` times, until
/// one finishes. The result is the first worker's; `recovered` says whether a recovery worker finished with
/// code 0.
struct RecoveredResult {
  WorkerResult first;
  std::optional<WorkerResult> recovery;  ///< the last attempt
  [[nodiscard]] bool recovered() const { return recovery && recovery->ok(); }
};
Result<RecoveredResult> run_worker_with_recovery(
    const WorkerSpec& spec, const std::function<std::optional<WorkerSpec>(const WorkerResult&)>& recovery,
    int attempts = 3);

}  // namespace davit
