// The guard's wait loop.
#include "guard/run_worker.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "guard/worker_end.hpp"
#include "process/process_runner.hpp"

namespace davit {
namespace {

constexpr int kBreadcrumbFd = 9;  // callers' descriptors are from 10 up
constexpr int kPluginFaultCode = 70;

// SIGINT, SIGTERM and SIGHUP as a descriptor while the worker runs.
class ForwardedSignals {
 public:
  explicit ForwardedSignals(bool wanted) {
    if (!wanted) return;
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
    ::pthread_sigmask(SIG_BLOCK, &set, &before_);
    fd_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    blocked_ = true;
  }
  ForwardedSignals(const ForwardedSignals&) = delete;
  ForwardedSignals& operator=(const ForwardedSignals&) = delete;
  ~ForwardedSignals() {
    if (blocked_) ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] int next() const {
    signalfd_siginfo info;
    return ::read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
  }

 private:
  UniqueFd fd_;
  sigset_t before_{};
  bool blocked_ = false;
};

class Watch {
 public:
  Watch(const WorkerSpec& spec, Child& worker, const BreadcrumbReader& page, const ForwardedSignals& signals)
      : spec_(&spec), worker_(&worker), page_(&page), signals_(&signals) {
    if (spec.deadline_ms > 0) worker_deadline_ = clock_.now_mono_ms() + spec.deadline_ms;
  }

  Result<WorkerResult> run() {
    while (!step()) {
    }
    WorkerResult result;
    result.last = blamed_ ? *blamed_ : page_->read();
    DAVIT_TRY_ASSIGN(const auto exit, worker_->wait());
    result.exit_code = exit.code;
    result.signal = exit.signal;
    result.end = end_of(exit);
    describe_end(result);
    return result;
  }

 private:
  // One wait. True: the worker is gone.
  bool step() {
    pollfd watched[3] = {{worker_->pidfd(), POLLIN, 0},
                         {signals_->fd(), POLLIN, 0},
                         {spec_->cancel && !stopped_ ? spec_->cancel->fd() : -1, POLLIN, 0}};
    const int ready = ::poll(watched, 3, timeout_ms());
    if (ready < 0) return errno != EINTR;
    if (watched[0].revents != 0) return true;
    if (watched[1].revents != 0) forward();
    if (watched[2].revents != 0) stop(WorkerEnd::kCancelled);
    look_at_deadlines();
    return false;
  }

  int timeout_ms() const {
    const auto now = clock_.now_mono_ms();
    auto next = now + spec_->watch_interval_ms;
    if (stopped_) {
      next = kill_at_;
    } else {
      if (worker_deadline_ != 0) next = std::min(next, worker_deadline_);
      if (const auto call = page_->deadline().first; call != 0) next = std::min(next, call);
    }
    return killed_ ? -1 : static_cast<int>(std::clamp<std::int64_t>(next - now, 0, 60'000));
  }

  void forward() {
    for (int signal = signals_->next(); signal != 0; signal = signals_->next()) {
      signalled_ = true;
      worker_->signal(signal);
    }
  }

  void look_at_deadlines() {
    const auto now = clock_.now_mono_ms();
    if (stopped_) {
      if (now >= kill_at_ && !killed_) {
        killed_ = true;
        worker_->signal(SIGKILL);
      }
      return;
    }
    const auto call = page_->deadline().first;
    const bool call_late = call != 0 && now >= call;
    if (!call_late && (worker_deadline_ == 0 || now < worker_deadline_)) return;
    // Looked at again as a whole: the call may have returned in this moment.
    auto crumb = page_->read();
    if (call_late && crumb.deadline_mono_ms == 0 && worker_deadline_ == 0) return;
    blamed_ = std::move(crumb);
    stop(WorkerEnd::kDeadline);
  }

  void stop(WorkerEnd why) {
    stopped_ = why;
    kill_at_ = clock_.now_mono_ms() + spec_->kill_after_ms;
    worker_->signal(SIGTERM);
  }

  WorkerEnd end_of(const Exit& exit) const {
    const auto crumb = page_->read();
    if (stopped_ && *stopped_ == WorkerEnd::kDeadline) return WorkerEnd::kDeadline;
    if (crumb.finished && exit.signal == 0) return stopped_ ? *stopped_ : WorkerEnd::kFinished;
    if (stopped_) return *stopped_;
    const bool by_request = exit.signal == SIGINT || exit.signal == SIGTERM || exit.signal == SIGHUP;
    if (signalled_ && by_request) return WorkerEnd::kCancelled;
    return exit.signal != 0 ? WorkerEnd::kCrashed : WorkerEnd::kEarlyExit;
  }

  const WorkerSpec* spec_;
  Child* worker_;
  const BreadcrumbReader* page_;
  const ForwardedSignals* signals_;
  SystemClock clock_;
  MonoMs worker_deadline_ = 0;
  MonoMs kill_at_ = 0;
  std::optional<WorkerEnd> stopped_;
  std::optional<Crumb>
      blamed_;  ///< who ran when the deadline passed; not who ran during the clean-up after it
  bool signalled_ = false;
  bool killed_ = false;
};

Command command_of(const WorkerSpec& spec, const BreadcrumbReader& page) {
  Command command;
  command.argv = spec.argv;
  command.env = spec.env;
  command.env.push_back(fmt::format("{}={}", kBreadcrumbFdVariable, kBreadcrumbFd));
  command.cwd = spec.cwd;
  command.in = InputFd{spec.in};
  command.out = OutputFd{spec.out};
  command.err = OutputFd{spec.err};
  command.pass_fds = spec.pass_fds;
  command.pass_fds.push_back({page.fd(), kBreadcrumbFd});
  command.death_signal = SIGKILL;
  return command;
}

}  // namespace

int WorkerResult::shell_code() const {
  if (end == WorkerEnd::kFinished) return exit_code;
  if (end == WorkerEnd::kCancelled) return signal != 0 ? 128 + signal : (exit_code > 0 ? exit_code : 130);
  return kPluginFaultCode;
}

Result<WorkerResult> run_worker(const WorkerSpec& spec) {
  DAVIT_TRY_ASSIGN(const auto page, BreadcrumbReader::create());
  const ForwardedSignals signals(
      spec.forward_signals);  // before the start, so that none of ours gets lost or ends us
  const auto runner = make_process_runner();
  DAVIT_TRY_ASSIGN(const auto worker, runner->start(command_of(spec, page)));
  return Watch(spec, *worker, page, signals).run();
}

Result<RecoveredResult> run_worker_with_recovery(
    const WorkerSpec& spec, const std::function<std::optional<WorkerSpec>(const WorkerResult&)>& recovery,
    int attempts) {
  DAVIT_TRY_ASSIGN(auto first, run_worker(spec));
  RecoveredResult result{std::move(first), std::nullopt};
  if (result.first.end == WorkerEnd::kFinished) return result;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    const auto next = recovery(result.recovery ? *result.recovery : result.first);
    if (!next) break;
    DAVIT_TRY_ASSIGN(result.recovery, run_worker(*next));
    if (result.recovery->end == WorkerEnd::kFinished) break;
  }
  return result;
}

}  // namespace davit
