// davit.host.supervise: units of the home's one supervision tree.
#include <fmt/format.h>

#include <mutex>
#include <thread>

#include "plugin/abi_values.hpp"
#include "plugin/host_core.hpp"
#include "plugin/services/users.hpp"
#include "supervise/supervisor.hpp"

namespace davit {
namespace {

constexpr std::size_t kMaxWaitedUnits = 64;
constexpr double kMillisPerCpu = 1000.0;

Supervisor& supervisor(const davit_host* host) {
  return HostSide::of(host).services().supervisor;
}

UnitLimits unit_limits(const davit_limits* limits) {
  const Limits in = limits_of(limits);
  UnitLimits out;
  out.memory_bytes = in.memory_bytes;
  out.memory_reserve_bytes = in.memory_reserve_bytes;
  out.cpu_quota = in.cpu_millis / kMillisPerCpu;
  out.pids = in.pids;
  out.nofile = in.open_files;
  return out;
}

void set_log(const davit_unit& in, Unit& unit) {
  if (in.log_dir.size == 0) return;
  UnitLog log;
  log.dir = copy(in.log_dir);
  if (in.log_file_bytes != 0) log.max_bytes = in.log_file_bytes;
  if (in.log_files != 0) log.max_files = in.log_files;
  unit.log = std::move(log);
}

Result<Unit> unit_of(const davit_unit& given, const PluginServices& services) {
  const davit_unit* in = &given;
  if (!DAVIT_HAS(in, davit_unit, stop_timeout_ms)) return fail(Code::kInvalid, "davit_unit is too small");
  Unit unit;
  unit.name = copy(in->name);
  unit.argv = copy(in->argv);
  for (auto& [key, value] : copy(in->env)) unit.env.emplace_back(key, value);
  if (in->cwd.size > 0) unit.cwd = copy(in->cwd);
  DAVIT_TRY_ASSIGN(unit.run_as, run_as(services, view(in->user)));
  unit.sandboxed = (in->flags & DAVIT_UNIT_SANDBOXED) != 0;
  unit.stop_all = (in->flags & DAVIT_UNIT_STOP_FIRST) == 0;
  unit.limits = unit_limits(in->limits);
  set_log(*in, unit);
  unit.restart = in->restart == DAVIT_RESTART_NEVER        ? RestartPolicy::kNo
                 : in->restart == DAVIT_RESTART_ON_FAILURE ? RestartPolicy::kOnFailure
                                                           : RestartPolicy::kAlways;
  unit.max_failures = in->max_retries;
  if (in->stop_signal != 0) unit.stop_signal = in->stop_signal;
  if (in->stop_timeout_ms != 0) unit.stop_timeout_ms = static_cast<std::uint32_t>(in->stop_timeout_ms);
  if (DAVIT_HAS(in, davit_unit, notify_fd)) unit.notify_fd = in->notify_fd;
  if (DAVIT_HAS(in, davit_unit, log_user) && in->log_user.size > 0) {
    DAVIT_TRY_ASSIGN(const auto owner, run_as(services, view(in->log_user)));
    if (owner) unit.log_owner = owner->uid;
  }
  return unit;
}

davit_status unit_ensure(const davit_host* host, const davit_call* call, const davit_unit* unit) {
  return serve(call, [&]() -> Result<> {
    if (unit == nullptr) return fail(Code::kInvalid, "davit_unit is missing");
    DAVIT_TRY_ASSIGN(const Unit wanted, unit_of(*unit, HostSide::of(host).services()));
    return supervisor(host).ensure(wanted);
  });
}

/// Only the fields that the caller's struct has.
void fill_status(const UnitStatus& from, davit_unit_status* to) {
  const auto set = [&](auto& field, std::size_t offset, auto value) {
    if (to->struct_size >= offset + sizeof field)
      field = static_cast<std::remove_reference_t<decltype(field)>>(value);
  };
  const int exit_code = from.last_signal != 0 ? 128 + from.last_signal : from.last_exit_code.value_or(-1);
  set(to->up, offsetof(davit_unit_status, up), from.up);
  set(to->wanted_up, offsetof(davit_unit_status, wanted_up), from.wanted_up);
  set(to->pid, offsetof(davit_unit_status, pid), from.pid);
  set(to->since_unix_ms, offsetof(davit_unit_status, since_unix_ms), from.since_unix_ms);
  set(to->exits, offsetof(davit_unit_status, exits), from.exits);
  set(to->exit_code, offsetof(davit_unit_status, exit_code), exit_code);
  set(to->ready, offsetof(davit_unit_status, ready), from.ready);
  set(to->limited, offsetof(davit_unit_status, limited), from.limited);
}

davit_status unit_status(const davit_host* host, const davit_call* call, davit_str name,
                         davit_unit_status* status) {
  return serve(call, [&]() -> Result<> {
    if (status == nullptr) return fail(Code::kInvalid, "davit_unit_status is missing");
    DAVIT_TRY_ASSIGN(const UnitStatus found, supervisor(host).status(view(name)));
    fill_status(found, status);
    return {};
  });
}

davit_status unit_signal(const davit_host* host, const davit_call* call, davit_str name, int32_t signal) {
  return serve(call, [&] { return supervisor(host).signal(view(name), signal); });
}

davit_status unit_stop(const davit_host* host, const davit_call* call, davit_str name) {
  return serve(call, [&]() -> Result<> {
    DAVIT_TRY(supervisor(host).down(view(name)));
    WaitSpec spec;
    spec.what = WaitFor::kDown;
    // No deadline: the supervisor itself kills after the unit's stop timeout.
    DAVIT_TRY(supervisor(host).wait(view(name), spec));
    return {};
  });
}

davit_status unit_down(const davit_host* host, const davit_call* call, davit_str name) {
  return serve(call, [&] { return supervisor(host).down(view(name)); });
}

davit_status unit_start(const davit_host* host, const davit_call* call, davit_str name) {
  return serve(call, [&] { return supervisor(host).up(view(name)); });
}

davit_status unit_remove(const davit_host* host, const davit_call* call, davit_str name) {
  return serve(call, [&] { return supervisor(host).remove(view(name), 0); });
}

davit_status unit_each(const davit_host* host, const davit_call* call, davit_str prefix,
                       const davit_str_sink* names) {
  return serve(call, [&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const auto found, supervisor(host).list(view(prefix)));
    for (const std::string& name : found) DAVIT_TRY(accepted(put(names, name)));
    return {};
  });
}

Result<WaitSpec> wait_spec(Supervisor& supervisor, const std::string& name, std::uint32_t what,
                           std::uint64_t timeout_ms) {
  WaitSpec spec;
  spec.deadline_ms = timeout_ms == 0 ? 1 : static_cast<std::int64_t>(timeout_ms);
  switch (what) {
    case DAVIT_UNIT_WAIT_UP:
      spec.what = WaitFor::kUp;
      return spec;
    case DAVIT_UNIT_WAIT_READY:
      spec.what = WaitFor::kReady;
      return spec;
    case DAVIT_UNIT_WAIT_DOWN:
      spec.what = WaitFor::kDown;
      return spec;
    case DAVIT_UNIT_WAIT_CHANGE:
      break;
    default:
      return fail(Code::kInvalid, fmt::format("There is no kind of wait {}", what));
  }
  // A change: of what runs, its end; of what does not, its start.
  DAVIT_TRY_ASSIGN(const UnitStatus now, supervisor.status(name));
  spec.what = now.up || now.phase == UnitPhase::kStopping ? WaitFor::kExits : WaitFor::kUp;
  spec.exits = now.exits + 1;
  return spec;
}

/// One thread a unit, all on one token: the first that returns cancels the others.
Result<> wait_for_any(Supervisor& supervisor, const std::vector<std::string>& names,
                      std::vector<WaitSpec> specs) {
  DAVIT_TRY_ASSIGN(const CancelToken done, CancelToken::create());
  std::mutex mutex;
  std::optional<Result<>> first;
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < names.size(); ++i) {
      specs[i].cancel = done;
      threads.emplace_back([&, i] {
        const auto answer = supervisor.wait(names[i], specs[i]);
        const std::lock_guard lock(mutex);
        if (!first) first = answer ? Result<>{} : Result<>(tl::unexpected(answer.error()));
        done.cancel();
      });
    }
  }
  return first.value_or(Result<>{});
}

davit_status unit_wait(const davit_host* host, const davit_call* call, davit_strs names, uint32_t what,
                       uint64_t timeout_ms) {
  return serve(call, [&]() -> Result<> {
    const std::vector<std::string> units = copy(names);
    if (units.empty() || units.size() > kMaxWaitedUnits)
      return fail(Code::kInvalid,
                  fmt::format("wait() takes 1 to {} units, not {}", kMaxWaitedUnits, units.size()));
    std::vector<WaitSpec> specs;
    for (const std::string& unit : units) {
      DAVIT_TRY_ASSIGN(WaitSpec spec, wait_spec(supervisor(host), unit, what, timeout_ms));
      specs.push_back(std::move(spec));
    }
    if (units.size() > 1) return wait_for_any(supervisor(host), units, std::move(specs));
    specs.front().cancel = HostSide::of(host).services().cancel();
    DAVIT_TRY(supervisor(host).wait(units.front(), specs.front()));
    return {};
  });
}

}  // namespace

const void* supervise_service(std::string_view interface_id) {
  static constexpr davit_host_supervise kSupervise{sizeof(davit_host_supervise),
                                                   0,
                                                   unit_ensure,
                                                   unit_status,
                                                   unit_signal,
                                                   unit_stop,
                                                   unit_start,
                                                   unit_remove,
                                                   unit_each,
                                                   unit_wait,
                                                   unit_down};
  return interface_id == DAVIT_HOST_SUPERVISE_ID ? &kSupervise : nullptr;
}

}  // namespace davit
