// AppManifest: what an app's own tree says about how it is run: app.json, or of checks a CHECKS file. Reading
// is pure on text; the fetch phase reads the files.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace davit {

/// When a check is asked, and what a bad answer means.
enum class CheckPurpose : std::uint8_t {
  kStartup,    ///< of a new instance, before it gets requests; bad: the deployment fails
  kLiveness,   ///< while it runs; bad: the instance is started again
  kReadiness,  ///< while it runs; bad: the instance gets no requests until it answers well
};
std::string_view name_of(CheckPurpose purpose);  ///< "startup", "liveness", "readiness"

/// Times of checks are at most this long.
inline constexpr std::uint32_t kMaxCheckSeconds = 3600;
/// Also what a timeout of 0 means: nothing is waited for without an end.
inline constexpr std::uint64_t kDefaultCheckTimeoutMs = 5'000;

/// One question to an instance, asked until it is answered well or the attempts are used up.
struct HealthCheck {
  enum class Kind : std::uint8_t { kListening, kHttp, kCommand, kUptime };
  CheckPurpose purpose = CheckPurpose::kStartup;
  Kind kind = Kind::kListening;
  std::string name;                                   ///< for messages
  std::string path;                                   ///< kHttp
  std::string content;                                ///< kHttp: must be in the body, if not empty
  std::vector<int> statuses;                          ///< kHttp: the good ones; empty: 200 to 399
  std::map<std::string, std::string> headers;         ///< kHttp
  std::vector<std::string> command;                   ///< kCommand: argv, run inside the instance
  std::uint64_t initial_delay_ms = 0;                 ///< before the first question
  std::uint64_t uptime_ms = 0;                        ///< kUptime: must have run so long
  std::uint64_t timeout_ms = kDefaultCheckTimeoutMs;  ///< of one question
  /// Between questions that were answered badly (a refused connection is asked sooner); of liveness and
  /// readiness between any two.
  std::uint64_t wait_ms = 5'000;
  unsigned attempts = 3;  ///< bad answers allowed, refused connections before the first answer not counted
  bool warn = false;      ///< a bad answer is said and changes nothing
  std::vector<std::string> on_failure;  ///< argv, run inside the instance when the attempts are used up
};

/// Process type to its checks, of every purpose.
using HealthChecks = std::map<std::string, std::vector<HealthCheck>, std::less<>>;

/// What app.json's formation says of one process type.
struct FormationEntry {
  std::optional<std::uint32_t> quantity;
  std::uint32_t max_parallel = 0;  ///< new instances that start at one time; 0: not said
  friend bool operator==(const FormationEntry&, const FormationEntry&) = default;
};
using ManifestFormation = std::map<std::string, FormationEntry, std::less<>>;

/// Lines for a shell inside the release's artifact. Empty: none.
struct DeployScripts {
  std::string predeploy;         ///< scripts.dokku.predeploy: before the release command; its failure ends it
  std::string postdeploy;        ///< scripts.dokku.postdeploy: after the switch of every build
  std::string first_postdeploy;  ///< scripts.postdeploy: after the switch of the app's first build
  friend bool operator==(const DeployScripts&, const DeployScripts&) = default;
};

/// One variable of app.json's env.
struct WantedVariable {
  std::optional<std::string> value;
  std::string description;
  bool required = true;
  bool generated = false;  ///< generator: secret
  bool sync = false;       ///< its value is set at every build
};
using WantedVariables = std::map<std::string, WantedVariable, std::less<>>;

struct AppManifest {
  HealthChecks checks;
  ManifestFormation formation;
  DeployScripts scripts;
  WantedVariables env;
  std::vector<std::string> warnings;  ///< members that are understood, but not done here
};

/// app.json. kInvalid "app-json-invalid" names the member and what it must be. Members of the top level that
/// are not ours are left alone; within ours, an unknown one is an error.
Result<AppManifest> manifest_of_app_json(std::string_view text);
/// dokku's CHECKS file: NAME=VALUE lines (WAIT, TIMEOUT, ATTEMPTS in seconds), then lines "PATH [CONTENT]" or
/// "http://HOST/PATH [CONTENT]".
Result<HealthChecks> checks_of_checks_file(std::string_view text);

/// For the release's record, and back. Unknown members are ignored.
std::string checks_to_json(const HealthChecks& checks);
HealthChecks checks_from_json(std::string_view json);

/// The checks of one purpose.
std::vector<HealthCheck> checks_of(const HealthChecks& checks, std::string_view process_type,
                                   CheckPurpose purpose);
/// Some type has liveness or readiness checks.
bool has_watched_checks(const HealthChecks& checks);

}  // namespace davit
