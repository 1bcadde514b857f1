/* The values that several interfaces share (davit/types.h) as C++ structs that own their text, with
 * conversions both ways. A C...-struct here ("CTask") is the C form over a C++ value that outlives it.
 */
#ifndef DAVIT_VALUES_HPP
#define DAVIT_VALUES_HPP

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "davit/sinks.hpp"
#include "davit/types.h"

namespace davit::sdk {

struct Artifact {
  uint32_t kind = DAVIT_ARTIFACT_NONE;
  std::string ref;
  std::string digest;
  std::string stack;
};

struct Mount {
  std::string source;
  std::string target;
  uint32_t flags = 0; /* DAVIT_MOUNT_* */
};

struct Limits { /* 0: no limit of this kind */
  uint32_t pids = 0;
  uint64_t memory_bytes = 0;
  uint64_t memory_reserve_bytes = 0;
  uint32_t cpu_millis = 0;
  uint32_t cpu_reserve_millis = 0;
  uint32_t open_files = 0;
  uint64_t time_ms = 0;
  uint64_t file_bytes = 0;
};

struct Endpoint {
  uint32_t kind = DAVIT_ENDPOINT_TCP;
  std::string host;
  std::string path;
  uint32_t port = 0;
  std::string instance;
};

using Fds = std::array<int32_t, 3>;
inline constexpr Fds kNoFds{-1, -1, -1};

struct Task {
  uint32_t flags = 0; /* DAVIT_TASK_* */
  uint32_t owner_kind = DAVIT_OWNER_APP;
  uint32_t network = DAVIT_NETWORK_HOST;
  std::string owner;
  std::string name;
  std::optional<Artifact> artifact;
  Strings argv;
  Pairs env;
  std::string cwd;
  std::vector<Mount> mounts;
  std::optional<Limits> limits;
  std::string user;
  uint64_t stop_timeout_ms = 10000;
  Fds fds = kNoFds;
  Output out; /* empty: discarded */
  Output err; /* empty: to out */
};

inline Artifact copy(const davit_artifact& raw) {
  return Artifact{DAVIT_SDK_READ(&raw, davit_artifact, kind), copy(DAVIT_SDK_READ(&raw, davit_artifact, ref)),
                  copy(DAVIT_SDK_READ(&raw, davit_artifact, digest)),
                  copy(DAVIT_SDK_READ(&raw, davit_artifact, stack))};
}

inline Mount copy(const davit_mount& raw) {
  return Mount{copy(DAVIT_SDK_READ(&raw, davit_mount, source)),
               copy(DAVIT_SDK_READ(&raw, davit_mount, target)), DAVIT_SDK_READ(&raw, davit_mount, flags)};
}

inline Limits copy(const davit_limits& raw) {
  Limits out;
  out.pids = DAVIT_SDK_READ(&raw, davit_limits, pids);
  out.memory_bytes = DAVIT_SDK_READ(&raw, davit_limits, memory_bytes);
  out.memory_reserve_bytes = DAVIT_SDK_READ(&raw, davit_limits, memory_reserve_bytes);
  out.cpu_millis = DAVIT_SDK_READ(&raw, davit_limits, cpu_millis);
  out.cpu_reserve_millis = DAVIT_SDK_READ(&raw, davit_limits, cpu_reserve_millis);
  out.open_files = DAVIT_SDK_READ(&raw, davit_limits, open_files);
  out.time_ms = DAVIT_SDK_READ(&raw, davit_limits, time_ms);
  out.file_bytes = DAVIT_SDK_READ(&raw, davit_limits, file_bytes);
  return out;
}

inline Endpoint copy(const davit_endpoint& raw) {
  return Endpoint{
      DAVIT_SDK_READ(&raw, davit_endpoint, kind), copy(DAVIT_SDK_READ(&raw, davit_endpoint, host)),
      copy(DAVIT_SDK_READ(&raw, davit_endpoint, path)), DAVIT_SDK_READ(&raw, davit_endpoint, port),
      copy(DAVIT_SDK_READ(&raw, davit_endpoint, instance))};
}

template <class Value, class Raw>
std::vector<Value> copy_list(const davit_list& list) {
  std::vector<Value> out;
  out.reserve(static_cast<std::size_t>(list.size));
  for_each<Raw>(list, [&out](const Raw& raw) { out.push_back(copy(raw)); });
  return out;
}

/* `raw` may be NULL. */
template <class Value, class Raw>
std::optional<Value> copy_optional(const Raw* raw) {
  if (raw == nullptr) return std::nullopt;
  return copy(*raw);
}

inline davit_artifact to_c(const Artifact& value) noexcept {
  return davit_artifact{sizeof(davit_artifact), value.kind, str(value.ref), str(value.digest),
                        str(value.stack)};
}

inline davit_mount to_c(const Mount& value) noexcept {
  return davit_mount{sizeof(davit_mount), value.flags, str(value.source), str(value.target)};
}

inline davit_limits to_c(const Limits& value) noexcept {
  return davit_limits{sizeof(davit_limits), value.pids,
                      value.memory_bytes,   value.memory_reserve_bytes,
                      value.cpu_millis,     value.cpu_reserve_millis,
                      value.open_files,     0,
                      value.time_ms,        value.file_bytes};
}

inline davit_endpoint to_c(const Endpoint& value) noexcept {
  return davit_endpoint{sizeof(davit_endpoint), value.kind, str(value.host), str(value.path), value.port, 0,
                        str(value.instance)};
}

template <class Raw, class Value>
std::vector<Raw> to_c_list(const std::vector<Value>& values) {
  std::vector<Raw> out;
  out.reserve(values.size());
  for (const Value& value : values) out.push_back(to_c(value));
  return out;
}

}  // namespace davit::sdk
#endif
