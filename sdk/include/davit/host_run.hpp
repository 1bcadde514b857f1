/* What runs on the host for a plugin: processes, tasks in an app's runtime, ports, secrets. Supervised units
 * are in host_units.hpp, the contracts in davit/host.h. Every failure is a HostFailure.
 */
#ifndef DAVIT_HOST_RUN_HPP
#define DAVIT_HOST_RUN_HPP

#include <string>
#include <string_view>

#include "davit/host_table.hpp"
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
  Output out;                   /* empty: discarded */
  Output err;                   /* empty: to out */
  uint32_t flags = 0;           /* DAVIT_PROCESS_* */
  uint64_t stop_timeout_ms = 0; /* 0: 5000 */
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
    raw.flags = process.flags;
    raw.stop_timeout_ms = process.stop_timeout_ms;
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
