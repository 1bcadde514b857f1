/* The values of davit.runtime/1 (davit/runtime.h) as C++ structs that own their text. */
#ifndef DAVIT_INSTANCES_HPP
#define DAVIT_INSTANCES_HPP

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "davit/runtime.h"
#include "davit/task.hpp"

namespace davit::sdk {

struct Group {
  uint32_t flags = 0; /* DAVIT_GROUP_* */
  uint32_t owner_kind = DAVIT_OWNER_APP;
  uint32_t count = 0;
  std::string owner;
  std::string revision;
  std::string process_type;
  std::optional<Artifact> artifact;
  Strings argv;
  Pairs env;
  std::vector<Mount> mounts;
  std::optional<Limits> limits;
  std::string user;
  uint32_t restart = DAVIT_RESTART_ALWAYS;
  int32_t stop_signal = 0;
  uint64_t stop_timeout_ms = 0;
  uint32_t max_retries = 0;
  uint32_t port = 0; /* leased by the host already; 0: the runtime leases */
};

/* Which instances: empty fields match all. */
struct Selector {
  uint32_t owner_kind = DAVIT_OWNER_APP;
  std::string owner; /* never empty */
  std::string revision;
  std::string process_type;
  uint32_t number = 0;
};

struct Instance {
  uint32_t state = DAVIT_INSTANCE_STARTING;
  std::string id;
  std::string revision;
  std::string process_type;
  uint32_t number = 0;
  uint32_t exits = 0;
  int64_t since_unix_ms = 0;
  int32_t exit_code = -1;
  int32_t pid = 0;
  std::vector<Endpoint> endpoints;
  std::string container; /* its id */
  uint32_t listening = DAVIT_LISTENING_UNKNOWN;
};

struct LogLine {
  uint32_t number = 0;
  int64_t unix_ms = 0;
  std::string revision;
  std::string process_type;
  std::string text;
};
using LogOutput = std::function<void(const LogLine&)>;

struct LogQuery {
  bool follow = false;
  uint64_t lines = 0;
  int64_t since_unix_ms = 0;
};

struct Exec {
  uint32_t flags = 0; /* DAVIT_TASK_TTY */
  std::string instance;
  Strings argv;
  Pairs env;
  Fds fds = kNoFds;
  uint64_t timeout_ms = 0;
  Output out;
  Output err;
};

inline Group copy(const davit_group& raw) {
  Group out;
  out.flags = DAVIT_SDK_READ(&raw, davit_group, flags);
  out.owner_kind = DAVIT_SDK_READ(&raw, davit_group, owner_kind);
  out.count = DAVIT_SDK_READ(&raw, davit_group, count);
  out.owner = copy(DAVIT_SDK_READ(&raw, davit_group, owner));
  out.revision = copy(DAVIT_SDK_READ(&raw, davit_group, revision));
  out.process_type = copy(DAVIT_SDK_READ(&raw, davit_group, process_type));
  out.artifact = copy_optional<Artifact>(DAVIT_SDK_READ(&raw, davit_group, artifact));
  out.argv = copy(DAVIT_SDK_READ(&raw, davit_group, argv));
  out.env = copy(DAVIT_SDK_READ(&raw, davit_group, env));
  out.mounts = copy_list<Mount, davit_mount>(DAVIT_SDK_READ(&raw, davit_group, mounts));
  out.limits = copy_optional<Limits>(DAVIT_SDK_READ(&raw, davit_group, limits));
  out.user = copy(DAVIT_SDK_READ(&raw, davit_group, user));
  out.restart = DAVIT_SDK_READ(&raw, davit_group, restart);
  out.stop_signal = DAVIT_SDK_READ(&raw, davit_group, stop_signal);
  out.stop_timeout_ms = DAVIT_SDK_READ(&raw, davit_group, stop_timeout_ms);
  out.max_retries = DAVIT_SDK_READ(&raw, davit_group, max_retries);
  out.port = DAVIT_SDK_READ(&raw, davit_group, port);
  return out;
}

inline Selector copy(const davit_selector& raw) {
  return Selector{
      DAVIT_SDK_READ(&raw, davit_selector, owner_kind), copy(DAVIT_SDK_READ(&raw, davit_selector, owner)),
      copy(DAVIT_SDK_READ(&raw, davit_selector, revision)),
      copy(DAVIT_SDK_READ(&raw, davit_selector, process_type)), DAVIT_SDK_READ(&raw, davit_selector, number)};
}

inline LogQuery copy(const davit_log_query& raw) {
  return LogQuery{DAVIT_SDK_READ(&raw, davit_log_query, follow) != 0,
                  DAVIT_SDK_READ(&raw, davit_log_query, lines),
                  DAVIT_SDK_READ(&raw, davit_log_query, since_unix_ms)};
}

/* `out` and `err` write to the host's sinks: valid during the call only. */
inline Exec copy(const davit_exec& raw) {
  Exec out;
  out.flags = DAVIT_SDK_READ(&raw, davit_exec, flags);
  out.instance = copy(DAVIT_SDK_READ(&raw, davit_exec, instance));
  out.argv = copy(DAVIT_SDK_READ(&raw, davit_exec, argv));
  out.env = copy(DAVIT_SDK_READ(&raw, davit_exec, env));
  if (DAVIT_HAS(&raw, davit_exec, fds)) out.fds = Fds{raw.fds[0], raw.fds[1], raw.fds[2]};
  out.timeout_ms = DAVIT_SDK_READ(&raw, davit_exec, timeout_ms);
  out.out = detail::output_to(DAVIT_SDK_READ(&raw, davit_exec, out));
  out.err = detail::output_to(DAVIT_SDK_READ(&raw, davit_exec, err));
  return out;
}

namespace detail {

inline void put(const davit_instance_sink* sink, const Instance& value) {
  const std::vector<davit_endpoint> endpoints = to_c_list<davit_endpoint>(value.endpoints);
  const davit_instance raw{sizeof(davit_instance),
                           value.state,
                           str(value.id),
                           str(value.revision),
                           str(value.process_type),
                           value.number,
                           value.exits,
                           value.since_unix_ms,
                           value.exit_code,
                           value.pid,
                           list_of(endpoints),
                           str(value.container),
                           value.listening,
                           0};
  check_sink(sink->put(sink->sink_data, &raw));
}

inline void put(const davit_log_sink* sink, const LogLine& value) {
  const davit_log_line raw{sizeof(davit_log_line),  value.number,   value.unix_ms, str(value.revision),
                           str(value.process_type), str(value.text)};
  check_sink(sink->put(sink->sink_data, &raw));
}

}  // namespace detail
}  // namespace davit::sdk
#endif
