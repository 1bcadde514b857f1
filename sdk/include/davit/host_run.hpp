/* What runs on the host for a plugin: processes, tasks in an app's runtime, supervised units, ports, secrets.
 * See davit/host.h for the contracts. Every failure is a HostFailure.
 */
#ifndef DAVIT_HOST_RUN_HPP
#define DAVIT_HOST_RUN_HPP

#include <optional>
#include <string>
#include <string_view>

#include "davit/host_table.hpp"
#include "davit/runtime.h"
#include "davit/task.hpp"

namespace davit::sdk {

/* A program on the host. */
struct Process {
  Strings argv;
  Pairs env; /* complete; empty: PATH, HOME, LANG only */
  std::string cwd;
  std::string input;
  uint64_t timeout_ms = 0; /* 0: the call's deadline */
  std::string user;
  Fds fds = kNoFds;
  Output out; /* empty: discarded */
  Output err; /* empty: to out */
};

struct ProcessResult {
  int exit_code = 0; /* or 128 + signal */
  std::string out;
  std::string err;
};

class Processes : public detail::HostTable<davit_host_process> {
 public:
  using HostTable::HostTable;
  /* The exit code; throws only if the program could not be run, or was ended by a timeout or a cancel. */
  int run(const Process& process) const {
    const StrArray argv(process.argv);
    const KvArray env(process.env);
    OutputSink out(process.out);
    OutputSink err(process.err);
    davit_process raw{};
    raw.struct_size = sizeof(raw);
    raw.argv = argv.get();
    raw.env = env.get();
    raw.cwd = str(process.cwd);
    raw.input = str(process.input);
    raw.timeout_ms = process.timeout_ms;
    raw.user = str(process.user);
    for (std::size_t i = 0; i < 3; ++i) raw.fds[i] = process.fds[i];
    raw.out = out.get();
    raw.err = err.get();
    int32_t exit_code = -1;
    const davit_process* const argument = &raw;
    const davit_status status = invoke(&davit_host_process::run, argument, &exit_code);
    out.rethrow();
    err.rethrow();
    detail::check(call_, status);
    return exit_code;
  }
  /* The same, with both outputs gathered in memory. For programs that say little. */
  ProcessResult capture(Process process) const {
    ProcessResult result;
    process.out = [&result](std::string_view chunk) { result.out.append(chunk); };
    process.err = [&result](std::string_view chunk) { result.err.append(chunk); };
    result.exit_code = run(process);
    return result;
  }
};

class Tasks : public detail::HostTable<davit_host_task> {
 public:
  using HostTable::HostTable;
  /* The exit code; the runtime is that of the call's app. */
  int run(const Task& task) const {
    const CTask raw(task);
    int32_t exit_code = -1;
    const davit_status status = invoke(&davit_host_task::run, raw.get(), &exit_code);
    raw.rethrow();
    detail::check(call_, status);
    return exit_code;
  }
};

struct Unit {
  uint32_t flags = 0; /* DAVIT_UNIT_* */
  std::string name;
  Strings argv;
  Pairs env;
  std::string cwd;
  std::string user;
  std::optional<Limits> limits;
  std::string log_dir;
  uint64_t log_file_bytes = 0;
  uint32_t log_files = 0;
  uint32_t restart = DAVIT_RESTART_ALWAYS;
  uint32_t max_retries = 0;
  int32_t stop_signal = 0;
  uint64_t stop_timeout_ms = 10000;
};

class Supervise : public detail::HostTable<davit_host_supervise> {
 public:
  using HostTable::HostTable;
  void ensure(const Unit& unit) const {
    const StrArray argv(unit.argv);
    const KvArray env(unit.env);
    const davit_limits limits = to_c(unit.limits.value_or(Limits()));
    davit_unit raw{};
    raw.struct_size = sizeof(raw);
    raw.flags = unit.flags;
    raw.name = str(unit.name);
    raw.argv = argv.get();
    raw.env = env.get();
    raw.cwd = str(unit.cwd);
    raw.user = str(unit.user);
    raw.limits = unit.limits ? &limits : nullptr;
    raw.log_dir = str(unit.log_dir);
    raw.log_file_bytes = unit.log_file_bytes;
    raw.log_files = unit.log_files;
    raw.restart = unit.restart;
    raw.max_retries = unit.max_retries;
    raw.stop_signal = unit.stop_signal;
    raw.stop_timeout_ms = unit.stop_timeout_ms;
    const davit_unit* const argument = &raw;
    must(&davit_host_supervise::ensure, argument);
  }
  /* nullopt: no such unit. */
  std::optional<davit_unit_status> status(std::string_view name) const {
    davit_unit_status out{};
    out.struct_size = sizeof(out);
    const davit_status status = invoke(&davit_host_supervise::status, str(name), &out);
    if (status == DAVIT_NOT_FOUND) return std::nullopt;
    detail::check(call_, status);
    return out;
  }
  void signal(std::string_view name, int32_t number) const {
    must(&davit_host_supervise::signal, str(name), number);
  }
  void stop(std::string_view name) const { must(&davit_host_supervise::stop, str(name)); }
  void start(std::string_view name) const { must(&davit_host_supervise::start, str(name)); }
  void remove(std::string_view name) const { must(&davit_host_supervise::remove, str(name)); }
  Strings names(std::string_view prefix = {}) const {
    return strings(&davit_host_supervise::each, str(prefix));
  }
  /* `what` is a DAVIT_UNIT_WAIT_*. False when timeout_ms passed first. */
  bool wait(const Strings& names, uint32_t what, uint64_t timeout_ms) const {
    const StrArray array(names);
    const davit_status status = invoke(&davit_host_supervise::wait, array.get(), what, timeout_ms);
    if (status == DAVIT_TIMEOUT) return false;
    detail::check(call_, status);
    return true;
  }
};

class Ports : public detail::HostTable<davit_host_ports> {
 public:
  using HostTable::HostTable;
  uint32_t lease(std::string_view owner) const {
    davit_lease lease{};
    must(&davit_host_ports::lease, str(owner), &lease);
    return static_cast<uint32_t>(lease.value);
  }
  void release(std::string_view owner) const { must(&davit_host_ports::release, str(owner)); }
};

class Secrets : public detail::HostTable<davit_host_secrets> {
 public:
  using HostTable::HostTable;
  std::string random(uint32_t characters) const {
    TextSink secret;
    must(&davit_host_secrets::random, characters, secret.get());
    return secret.take();
  }
};

}  // namespace davit::sdk
#endif
