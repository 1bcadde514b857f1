// The Supervisor: units in a Tree.
#include "supervise/supervisor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <system_error>

#include "process/file_lock.hpp"
#include "process/files.hpp"
#include "supervise/leftovers.hpp"
#include "supervise/tree.hpp"
#include "supervise/unit_files.hpp"
#include "supervise/unit_watch.hpp"

namespace davit {
namespace {

namespace fs = std::filesystem;
using detail::Tree;
using detail::UnitFiles;

constexpr std::int64_t kLockDeadlineMs = 120'000;
constexpr std::int64_t kKillSlackMs =
    10'000;  // davit-unit's own SIGKILL comes first; s6's is for a davit-unit that hangs

Error no_such_unit(std::string_view name) {
  return {Code::kNotFound, fmt::format("there is no unit {}", name), {}, "unit-not-found", {}};
}

// `wanted` is the absence of the unit's `down` file: down() and davit-unit (for a last end) make it before s6
// hears of anything, while s6's own flag lags behind, and is stale while a new s6-supervise starts. Down is
// what both say: until s6 has heard, it may be about to start the program, with no pid to show yet.
UnitPhase phase_of(const std::optional<detail::S6Status>& s6, bool supervised, bool wanted,
                   const std::optional<davit_unit_state>& state) {
  if (!supervised || !s6) return UnitPhase::kDown;
  if (s6->finishing)
    return UnitPhase::kWaiting;  // s6 does not know yet whether it starts again: its `finish` tells
  if (s6->pid == 0) return wanted || s6->wanted_up ? UnitPhase::kWaiting : UnitPhase::kDown;
  if (!state || state->unit_pid != s6->pid)
    return UnitPhase::kWaiting;  // a new davit-unit that waits for an older one
  if (state->phase == DAVIT_UNIT_STOPPING) return UnitPhase::kStopping;
  return state->phase == DAVIT_UNIT_UP && state->pid > 0 ? UnitPhase::kUp : UnitPhase::kWaiting;
}

UnitStatus status_of(const UnitFiles& unit) {
  // s6's view last: if davit-unit was replaced in between, the pids differ, and that reads as waiting.
  const auto state = unit.state();
  const bool supervised = unit.listening();
  const auto s6 = unit.s6_status();
  UnitStatus status;
  status.wanted_up = !unit.has("down");
  status.phase = phase_of(s6, supervised, status.wanted_up, state);
  status.up = status.phase == UnitPhase::kUp;
  status.ready = status.up && (!unit.has("notification-fd") || (s6 && s6->ready));
  if (!state) return status;
  status.limited = state->limited != 0;
  status.pid = status.phase == UnitPhase::kUp || status.phase == UnitPhase::kStopping ? state->pid : 0;
  status.since_unix_ms = state->since_ms;
  status.starts = state->starts;
  status.exits = state->exits;
  status.quick_failures = state->quick_failures;
  if (state->has_exit != 0) {
    status.last_signal = state->last_signal;
    if (state->last_signal == 0) status.last_exit_code = state->last_code;
  }
  return status;
}

std::string describe(const UnitStatus& status) {
  const char* const phases[] = {"down", "waiting", "up", "stopping"};
  auto text = fmt::format("{}, {} starts, {} exits", phases[static_cast<int>(status.phase)], status.starts,
                          status.exits);
  if (status.last_signal != 0) text += fmt::format(", last end: {}", signal_name(status.last_signal));
  if (status.last_exit_code) text += fmt::format(", last exit code {}", *status.last_exit_code);
  return text;
}

class S6Supervisor final : public Supervisor {
 public:
  explicit S6Supervisor(SupervisorSettings settings) : settings_(std::move(settings)), tree_(settings_) {}

  Result<bool> ensure_tree() override { return tree_.ensure(); }
  Result<bool> ensure_tree_holding(const std::function<bool(std::string_view)>& held) override {
    return tree_.ensure(held);
  }
  Result<> release_held() override { return tree_.release_held(); }
  Result<> stop_tree(std::int64_t deadline_ms) override {
    return tree_.stop(clock_.now_mono_ms() + deadline_ms);
  }
  [[nodiscard]] bool tree_running() const override { return tree_.running(); }

  Result<> ensure(const Unit& unit) override {
    DAVIT_TRY_ASSIGN(const auto spec, encode_spec(unit));
    DAVIT_TRY(tree_.ensure());
    DAVIT_TRY_ASSIGN(const auto lock, lock_unit(unit.name, "ensure"));
    const auto files = tree_.unit(unit.name);
    if (files.exists() && read_file(files.file("spec")).value_or("") != spec) {
      DAVIT_TRY(remove_locked(unit.name, stop_deadline_ms(unit.name)));
    }
    if (!files.exists()) DAVIT_TRY(make_unit(unit, spec));
    const bool was_down = files.has("down");
    if (tree_.is_held(unit.name)) DAVIT_TRY(tree_.release_held());
    const bool fresh = !tree_.linked(unit.name);
    if (fresh) DAVIT_TRY(tree_.link(unit.name));
    DAVIT_TRY(wait_until_supervised(files));
    // s6 starts what it has just been given: if that is down again already, it has run to its end meanwhile.
    if (fresh && !was_down) return {};
    const auto s6 = files.s6_status();
    if (files.has("down") || !s6 || !s6->wanted_up) return bring_up(files);
    return {};
  }

  [[nodiscard]] Result<UnitStatus> status(std::string_view name) const override {
    DAVIT_TRY_ASSIGN(const auto files, existing(name));
    return status_of(files);
  }

  [[nodiscard]] Result<std::vector<std::string>> list(std::string_view prefix) const override {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(tree_.folder("units"), error)) {
      auto name = entry.path().filename().native();
      if (name.starts_with(prefix) && check_unit_name(name)) names.push_back(std::move(name));
    }
    if (error && error != std::errc::no_such_file_or_directory) {
      return fail(system_error("list units", error.value()));
    }
    std::ranges::sort(names);
    return names;
  }

  Result<> signal(std::string_view name, int signal) override {
    DAVIT_TRY_ASSIGN(const auto files, existing(name));
    const auto pid = status_of(files).pid;
    const UniqueFd program(pid > 0 ? static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)) : -1);
    // Asked again when we have hold of the process: the pid may have been another's by then.
    if (!program.valid() || status_of(files).pid != pid) {
      return fail(Code::kConflict, fmt::format("unit {} is not running", name), {}, "unit-not-up");
    }
    detail::send(program.get(), signal);
    return {};
  }

  Result<> down(std::string_view name) override {
    DAVIT_TRY_ASSIGN(const auto files, existing(name));
    DAVIT_TRY(write_file_volatile(files.file("down"), "", 0600));
    if (!files.supervisor()) return {};
    return files.command("d");
  }

  Result<> up(std::string_view name) override {
    DAVIT_TRY(tree_.ensure());
    DAVIT_TRY_ASSIGN(const auto files, existing(name));
    DAVIT_TRY_ASSIGN(const auto lock, lock_unit(std::string(name), "up"));  // one "t" for all who ask at once
    DAVIT_TRY(wait_until_supervised(files));
    return bring_up(files);
  }

  Result<> remove(std::string_view name, std::int64_t deadline_ms) override {
    DAVIT_TRY(check_unit_name(name));
    const auto limit_ms = deadline_ms > 0 ? deadline_ms : stop_deadline_ms(name);
    if (!tree_.unit(name).exists() && !tree_.linked(name)) return {};
    DAVIT_TRY_ASSIGN(auto lock, lock_unit(name, "remove"));
    DAVIT_TRY(remove_locked(name, limit_ms));
    lock.release_and_unlink();
    return {};
  }

  Result<UnitStatus> wait(std::string_view name, const WaitSpec& spec) override {
    const auto until = spec.deadline_ms > 0 ? clock_.now_mono_ms() + spec.deadline_ms : 0;
    DAVIT_TRY_ASSIGN(const auto files, existing(name));
    auto watch = detail::UnitWatch::open(files.folder());
    if (!watch) return fail(files.exists() ? watch.error() : no_such_unit(name));
    while (true) {
      if (!files.exists()) return fail(no_such_unit(name));
      const auto status = status_of(files);
      if (reached(status, spec)) return status;
      const bool for_start = spec.what == WaitFor::kUp || spec.what == WaitFor::kReady;
      if (for_start && status.phase == UnitPhase::kDown && !status.wanted_up) {
        return fail(Code::kFailed, fmt::format("unit {} has ended ({})", name, describe(status)), {},
                    "unit-ended");
      }
      auto changed = watch->wait(until, spec.cancel);
      if (changed) continue;
      auto error = std::move(changed).error();
      error.message = fmt::format("{} for unit {} ({})", error.message, name, describe(status));
      return fail(std::move(error));
    }
  }

 private:
  static bool reached(const UnitStatus& status, const WaitSpec& spec) {
    switch (spec.what) {
      case WaitFor::kUp:
        return status.up;
      case WaitFor::kReady:
        return status.ready;
      case WaitFor::kDown:
        return status.phase == UnitPhase::kDown;
      case WaitFor::kExits:
        return status.exits >= spec.exits;
    }
    return false;
  }

  Result<UnitFiles> existing(std::string_view name) const {
    DAVIT_TRY(check_unit_name(name));
    auto files = tree_.unit(name);
    if (!files.exists()) return fail(no_such_unit(name));
    return files;
  }

  Result<FileLock> lock_unit(std::string_view name, const std::string& what) const {
    LockWait wait;
    wait.deadline_ms = kLockDeadlineMs;
    return FileLock::acquire(tree_.folder("locks") / name,
                             {fmt::format("{} {}", what, name), ::getpid(), clock_.now_unix_ms()}, wait);
  }

  // From the definition that runs, which may differ from the one to come.
  std::int64_t stop_deadline_ms(std::string_view name) const {
    const auto spec = read_file(tree_.unit(name).file("spec")).value_or("");
    constexpr std::string_view kKey("\0stop_timeout_ms=", 17);
    const auto at = spec.find(kKey);
    if (at == std::string::npos) return 30'000 + kKillSlackMs;
    return std::strtoll(spec.c_str() + at + kKey.size(), nullptr, 10) + kKillSlackMs;
  }

  Result<> make_unit(const Unit& unit, const std::string& spec) const {
    if (unit.log) DAVIT_TRY(make_dirs(unit.log->dir, 0700));
    const auto draft = tree_.folder("units") / ("." + unit.name);  // s6 never sees half a unit
    DAVIT_TRY(remove_tree(draft));
    DAVIT_TRY(make_dir(draft, 0700));
    for (const auto* name : {"run", "finish"}) {
      if (::symlink(settings_.unit_program.c_str(), (draft / name).c_str()) != 0) {
        return fail(system_error(fmt::format("link the program of unit {}", unit.name), errno));
      }
    }
    DAVIT_TRY(write_file_atomic(draft / "spec", spec, 0600));
    DAVIT_TRY(write_file_volatile(draft / "timeout-kill",
                                  fmt::format("{}\n", unit.stop_timeout_ms + kKillSlackMs), 0600));
    if (unit.notify_fd >= 3) {
      DAVIT_TRY(write_file_volatile(draft / "notification-fd", fmt::format("{}\n", unit.notify_fd), 0600));
    }
    if (::rename(draft.c_str(), (tree_.folder("units") / unit.name).c_str()) != 0) {
      return fail(system_error(fmt::format("make unit {}", unit.name), errno));
    }
    return {};
  }

  Result<> wait_until_supervised(const UnitFiles& files) const {
    if (files.listening()) return {};
    DAVIT_TRY_ASSIGN(auto watch, detail::UnitWatch::open(files.folder()));
    const auto until = clock_.now_mono_ms() + settings_.start_deadline_ms;
    while (!files.listening() || !files.s6_status()) {
      if (auto changed = watch.wait(until, std::nullopt); !changed) {
        return fail(Code::kUnavailable,
                    fmt::format("s6 did not take unit {}", files.folder().filename().native()),
                    fmt::format("Look into {}", tree_.folder("log").native()), "supervisor-down");
      }
    }
    return {};
  }

  Result<> bring_up(const UnitFiles& files) const {
    ::unlink(files.file("down").c_str());
    DAVIT_TRY(write_file_volatile(files.file("reset"), "", 0600));
    DAVIT_TRY_ASSIGN(auto watch, detail::UnitWatch::open(files.folder()));
    const auto until = clock_.now_mono_ms() + settings_.start_deadline_ms;
    const auto wait_while = [&](auto condition) -> Result<> {
      while (condition(files.s6_status(), files.state())) DAVIT_TRY(watch.wait(until, std::nullopt));
      return {};
    };
    // A `finish` that runs may still tell s6 to give up, which would undo an earlier "u".
    DAVIT_TRY(wait_while([](const auto& s6, const auto&) { return s6 && s6->finishing; }));
    const auto state = files.state();
    const bool in_backoff = state && state->phase == DAVIT_UNIT_WAITING && state->quick_failures > 0;
    DAVIT_TRY(files.command(in_backoff ? "ut" : "u"));  // "t": it leaves, and comes back with a fresh backoff
    const auto starts = state ? state->starts : 0;
    // The fifo was written, not yet read.
    return wait_while([starts, in_backoff](const auto& now, const auto& then) {
      return (in_backoff || !(now && now->wanted_up)) && (then ? then->starts : 0) == starts;
    });
  }

  Result<> remove_locked(std::string_view name, std::int64_t limit_ms) {
    const auto until = clock_.now_mono_ms() + limit_ms;
    const auto files = tree_.unit(name);
    DAVIT_TRY(tree_.unlink(name));
    DAVIT_TRY(tree_.end_supervisor(files, until));
    if (files.exists()) {
      // A davit-unit whose s6-supervise was killed may still be stopping.
      LockWait wait;
      wait.deadline_ms = std::max<std::int64_t>(1, until - clock_.now_mono_ms());
      DAVIT_TRY_ASSIGN(const auto idle,
                       FileLock::acquire(files.file("lock"), {"remove", ::getpid(), 0}, wait));
      DAVIT_TRY(detail::kill_leftovers(files, until));
      detail::remove_cgroups(files, name);
      DAVIT_TRY(remove_tree(files.folder()));
    }
    tree_.rescan();
    return {};
  }

  SupervisorSettings settings_;
  Tree tree_;
  SystemClock clock_;
};

}  // namespace

std::unique_ptr<Supervisor> make_supervisor(SupervisorSettings settings) {
  return std::make_unique<S6Supervisor>(std::move(settings));
}

}  // namespace davit
