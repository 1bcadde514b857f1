// Unit: what is to be kept running, as a value. Not the running thing: see supervisor.hpp.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "process/process_runner.hpp"

namespace davit {

/// Lines of fds 1 and 2 go through s6-log into `dir`/current, each with a UTC time in front
/// ("2026-11-23 10:05:00.123456789  text"); a full file becomes @TAI64N.s (or .u after a crash of the
/// logger). A full disk makes the writer wait. The folder is made (0700, owned by us). None: fds 1 and 2 on
/// /dev/null.
struct UnitLog {
  std::filesystem::path dir;
  std::uint64_t max_bytes = 10 * 1024 * 1024;  ///< of one file: 4096 to 268435455
  unsigned max_files = 5;                      ///< old ones kept
};

/// Enforced where a cgroup tree (v1 or v2) is writable; UnitStatus::limited says so. 0: no limit.
struct UnitLimits {
  std::uint64_t memory_bytes = 0;
  std::uint64_t memory_reserve_bytes = 0;  ///< soft: kept for it when memory is short
  double cpu_quota = 0;                    ///< in CPUs: 0.5, 2
  std::uint64_t pids = 0;
  std::uint64_t nofile = 0;  ///< by setrlimit: always enforced
};

enum class RestartPolicy {
  kAlways,
  kOnFailure,  ///< exit code 0 ends it; so do `max_failures` quick ends in a row (0: any number)
  kNo,         ///< runs once
};

/// The delay before restart n after a quick end: min * 2^(n-1), at most max. s6 adds its own one second
/// between two starts.
struct UnitBackoff {
  std::uint32_t min_ms = 1'000;  ///< the first restart after one quick end
  std::uint32_t max_ms = 60'000;
  std::uint32_t quick_ms = 10'000;  ///< an end is quick when it ran for less
};

struct Unit {
  std::string name;               ///< see check_unit_name
  std::vector<std::string> argv;  ///< argv[0] absolute
  std::vector<std::pair<std::string, std::string>>
      env;  ///< complete; values: any bytes but NUL. Stored in a 0600 file
  std::string cwd = "/";
  std::optional<RunAs> run_as;  ///< dropped to right before exec, with no-new-privs and no capabilities
  int stop_signal = 15;
  std::uint32_t stop_timeout_ms = 30'000;  ///< then SIGKILL to all that is left
  /// true: the stop signal goes to every process of the unit (a Procfile's bash forwards nothing); false: to
  /// the first only (nginx).
  bool stop_all = true;
  /// argv is bwrap with --as-pid-1, `--info-fd 9` and davit-init: signals go to davit-init, inside.
  bool sandboxed = false;
  std::optional<UnitLog> log;
  std::optional<uid_t>
      log_owner;  ///< owns the log pipe, so that it may open /dev/stdout; default run_as's uid
  UnitLimits limits;
  RestartPolicy restart = RestartPolicy::kAlways;
  unsigned max_failures = 0;
  UnitBackoff backoff;
  int notify_fd =
      0;  ///< 3..: the program writes a newline there when it is ready (s6's notification-fd); 0: none
  unsigned umask_bits = 022;
};

/// `^[a-z0-9A-Z]([A-Za-z0-9._-]*[A-Za-z0-9])?$` without `..`, at most 200 characters: an instance id or a
/// plain name.
Result<> check_unit_name(std::string_view name);

/// The bytes of the spec file that davit-unit reads: NUL-separated "key=value" records, argv and env last.
/// Stable for equal units. Errors: kInvalid (name, empty argv, relative argv[0], NUL in a string).
Result<std::string> encode_spec(const Unit& unit);

}  // namespace davit
