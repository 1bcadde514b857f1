// AppManifest: what an app's own tree says about how it is to be checked: app.json's healthchecks, or a
// CHECKS file. Reading is pure on text; the fetch phase reads the files.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace davit {

/// One question to a new instance, asked until it is answered well or the attempts are used up.
struct HealthCheck {
  enum class Kind : std::uint8_t { kListening, kHttp, kCommand, kUptime };
  Kind kind = Kind::kListening;
  std::string name;                            ///< for messages
  std::string path;                            ///< kHttp
  std::string content;                         ///< kHttp: must be in the body, if not empty
  std::map<std::string, std::string> headers;  ///< kHttp
  std::vector<std::string> command;            ///< kCommand: argv, run inside the instance
  std::uint64_t initial_delay_ms = 0;          ///< before the first question
  std::uint64_t uptime_ms = 0;                 ///< kUptime: must have run so long
  std::uint64_t timeout_ms = 5'000;            ///< of one question
  std::uint64_t wait_ms =
      5'000;  ///< between questions that were answered badly (a refused connection is asked sooner)
  unsigned attempts = 3;  ///< bad answers allowed, refused connections before the first answer not counted
};

/// Process type to its startup checks.
using HealthChecks = std::map<std::string, std::vector<HealthCheck>, std::less<>>;

struct AppManifest {
  HealthChecks checks;
};

/// `app.json`: the member "healthchecks": {TYPE: [{type: "startup", name, path, content, listening, command,
/// uptime, attempts, timeout, wait, initialDelay, httpHeaders}]}; times in seconds. Liveness and readiness
/// entries are left alone. kInvalid names the member.
Result<HealthChecks> checks_of_app_json(std::string_view text);
/// dokku's CHECKS file: NAME=VALUE lines (WAIT, TIMEOUT, ATTEMPTS in seconds), then lines "PATH [CONTENT]" or
/// "http://HOST/PATH [CONTENT]".
Result<HealthChecks> checks_of_checks_file(std::string_view text);

/// For the release's record, and back. Unknown members are ignored.
std::string checks_to_json(const HealthChecks& checks);
HealthChecks checks_from_json(std::string_view json);

}  // namespace davit
