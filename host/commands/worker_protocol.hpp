// What the front program and the worker say to each other: environment variables, descriptors, and the one
// line at the end.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/call_context.hpp"
#include "base/paths.hpp"

namespace davit::worker_protocol {

// Environment of the worker. Nothing else of the caller's gets there but PATH, LANG, TZ, TERM and what tests
// need.
inline constexpr const char* kHome = "DAVIT_HOME";
inline constexpr const char* kPluginsToml = "DAVIT_PLUGINS_TOML";
inline constexpr const char* kActor = "DAVIT_ACTOR";
inline constexpr const char* kFlags = "DAVIT_FLAGS";  ///< letters: q quiet, f force, t trace, y a terminal
inline constexpr const char* kDisable = "DAVIT_PLUGINS_DISABLE";
inline constexpr const char* kSafeMode = "DAVIT_SAFE_MODE";
inline constexpr const char* kFailpoint = "DAVIT_FAILPOINT";  ///< for tests: see worker/failpoint.hpp

// Descriptors of a deployment's worker.
inline constexpr int kLockFd = 10;  ///< the app's lock; unlocked by the worker when the switch is confirmed
inline constexpr int kDoneFd = 11;  ///< one line "STATE CODE\n": then the viewer leaves

inline std::string flags_of(const CallContext& context) {
  std::string flags;
  if (context.quiet) flags += 'q';
  if (context.force) flags += 'f';
  if (context.trace) flags += 't';
  if (context.tty) flags += 'y';
  return flags;
}

}  // namespace davit::worker_protocol
