// See fake_units.hpp.
#include "fake_units.hpp"

#include <chrono>
#include <thread>

#include "davit/runtime.h"
#include "davit/values.hpp"
#include "fake_host.hpp"
#include "suite.hpp"
#include "test_call.hpp"

namespace davit::test {
namespace {

Unit unit_of(const FakeHost& host, const davit_unit& raw) {
  Unit unit;
  unit.name = sdk::copy(raw.name);
  unit.argv = sdk::copy(raw.argv);
  unit.env = sdk::copy(raw.env);
  unit.cwd = raw.cwd.size == 0 ? "/" : sdk::copy(raw.cwd);
  const bool root = geteuid() == 0;
  if (root && sdk::view(raw.user) == "app") unit.run_as = host.settings().app_user;
  if (root && sdk::view(raw.log_user) == "app") unit.log_owner = host.settings().app_user.uid;
  unit.stop_signal = raw.stop_signal == 0 ? 15 : raw.stop_signal;
  unit.stop_timeout_ms = static_cast<std::uint32_t>(raw.stop_timeout_ms);
  unit.stop_all = (raw.flags & DAVIT_UNIT_STOP_FIRST) == 0;
  unit.sandboxed = (raw.flags & DAVIT_UNIT_SANDBOXED) != 0;
  if (raw.log_dir.size > 0) {
    unit.log = UnitLog{sdk::copy(raw.log_dir)};
    if (raw.log_file_bytes != 0) unit.log->max_bytes = raw.log_file_bytes;
    if (raw.log_files != 0) unit.log->max_files = raw.log_files;
  }
  if (raw.limits != nullptr) {
    unit.limits.memory_bytes = raw.limits->memory_bytes;
    unit.limits.pids = raw.limits->pids;
    unit.limits.cpu_quota = raw.limits->cpu_millis / 1000.0;
    unit.limits.nofile = raw.limits->open_files;
  }
  unit.restart = raw.restart == DAVIT_RESTART_ALWAYS       ? RestartPolicy::kAlways
                 : raw.restart == DAVIT_RESTART_ON_FAILURE ? RestartPolicy::kOnFailure
                                                           : RestartPolicy::kNo;
  unit.max_failures = raw.max_retries;
  return unit;
}

davit_status answer(const davit_call* call, const Result<>& result) {
  return result ? DAVIT_OK : fail_call(call, result.error());
}

davit_status ensure(const davit_host* host, const davit_call* call, const davit_unit* unit) {
  FakeHost& self = FakeHost::self(host);
  return answer(call, self.supervisor().ensure(unit_of(self, *unit)));
}

davit_status status(const davit_host* host, const davit_call* call, davit_str name, davit_unit_status* out) {
  const auto found = FakeHost::self(host).supervisor().status(sdk::view(name));
  if (!found) return fail_call(call, found.error());
  out->up = found->phase == UnitPhase::kUp || found->phase == UnitPhase::kStopping ? 1 : 0;
  out->wanted_up = found->wanted_up && found->phase != UnitPhase::kStopping ? 1 : 0;
  out->pid = found->pid;
  out->since_unix_ms = found->since_unix_ms;
  out->exits = static_cast<std::uint32_t>(found->exits);
  out->exit_code = found->last_signal != 0 ? 128 + found->last_signal : found->last_exit_code.value_or(-1);
  out->ready = found->ready ? 1 : 0;
  out->limited = found->limited ? 1 : 0;
  return DAVIT_OK;
}

davit_status signal_unit(const davit_host* host, const davit_call* call, davit_str name, int32_t number) {
  return answer(call, FakeHost::self(host).supervisor().signal(sdk::view(name), number));
}

davit_status stop(const davit_host* host, const davit_call* call, davit_str name) {
  Supervisor& supervisor = FakeHost::self(host).supervisor();
  if (const auto down = supervisor.down(sdk::view(name)); !down) return fail_call(call, down.error());
  const auto waited = supervisor.wait(sdk::view(name), {WaitFor::kDown, 0, kPatienceMs, std::nullopt});
  return waited ? DAVIT_OK : fail_call(call, waited.error());
}

davit_status down(const davit_host* host, const davit_call* call, davit_str name) {
  return answer(call, FakeHost::self(host).supervisor().down(sdk::view(name)));
}

davit_status start(const davit_host* host, const davit_call* call, davit_str name) {
  return answer(call, FakeHost::self(host).supervisor().up(sdk::view(name)));
}

davit_status remove(const davit_host* host, const davit_call* call, davit_str name) {
  return answer(call, FakeHost::self(host).supervisor().remove(sdk::view(name), 0));
}

davit_status each(const davit_host* host, const davit_call* call, davit_str prefix,
                  const davit_str_sink* names) {
  const auto found = FakeHost::self(host).supervisor().list(sdk::view(prefix));
  if (!found) return fail_call(call, found.error());
  for (const std::string& name : *found) {
    if (const davit_status taken = names->put(names->sink_data, sdk::str(name)); taken != DAVIT_OK)
      return taken;
  }
  return DAVIT_OK;
}

/// What a change is seen by.
std::string shape(Supervisor& supervisor, const sdk::Strings& names) {
  std::string text;
  for (const std::string& name : names) {
    const auto now = supervisor.status(name);
    text += name;
    if (now) {
      text += " " + std::to_string(static_cast<int>(now->phase)) + " " + std::to_string(now->pid) + " " +
              std::to_string(now->exits) + ";";
    }
  }
  return text;
}

davit_status wait(const davit_host* host, const davit_call* call, davit_strs raw_names, uint32_t what,
                  uint64_t timeout_ms) {
  if (what != DAVIT_UNIT_WAIT_CHANGE) return DAVIT_UNSUPPORTED;
  Supervisor& supervisor = FakeHost::self(host).supervisor();
  const sdk::Strings names = sdk::copy(raw_names);
  const std::string before = shape(supervisor, names);
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (std::chrono::steady_clock::now() < end) {
    if (shape(supervisor, names) != before) return DAVIT_OK;
    if (call->cancelled(call) != 0) return fail_call(call, Error{Code::kCancelled, "cancelled", {}, {}, {}});
    std::this_thread::sleep_for(std::chrono::milliseconds(10));  // several units at once: a fake's way
  }
  return DAVIT_TIMEOUT;
}

constexpr davit_host_supervise kUnits{sizeof(davit_host_supervise),
                                      0,
                                      &ensure,
                                      &status,
                                      &signal_unit,
                                      &stop,
                                      &start,
                                      &remove,
                                      &each,
                                      &wait,
                                      &down};

davit_status status_of(Code code) {
  switch (code) {
    case Code::kInvalid:
      return DAVIT_INVALID;
    case Code::kNotFound:
      return DAVIT_NOT_FOUND;
    case Code::kConflict:
      return DAVIT_CONFLICT;
    case Code::kDenied:
      return DAVIT_DENIED;
    case Code::kFailed:
      return DAVIT_FAILED;
    case Code::kUnavailable:
      return DAVIT_UNAVAILABLE;
    case Code::kTimeout:
      return DAVIT_TIMEOUT;
    case Code::kCancelled:
      return DAVIT_CANCELLED;
    case Code::kInternal:
      return DAVIT_INTERNAL;
  }
  return DAVIT_INTERNAL;
}

}  // namespace

const davit_host_supervise* unit_table() {
  return &kUnits;
}

davit_status fail_call(const davit_call* call, const Error& error) {
  const std::string text = error.text();
  call->fail(call, sdk::str(error.slug), sdk::str(text), sdk::str(error.hint));
  return status_of(error.code);
}

}  // namespace davit::test
