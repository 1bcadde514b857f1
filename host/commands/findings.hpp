// Findings: what `davit doctor` and `plugin:doctor` show, from the host and from plugins.
#pragma once

#include <string>
#include <vector>

#include "commands/session.hpp"

namespace davit {

struct DoctorFinding {
  std::string part;   ///< "host" or a plugin's id
  std::string level;  ///< "ok", "warning", "problem"
  std::string what;
  std::string hint;
};

/// What is wrong with plugins as files, and what the healthy ones say of themselves (a worker is started).
Result<std::vector<DoctorFinding>> plugin_findings(Session& session);

/// Prints them, problems on stderr; the exit code: 1 with a problem among them.
int show_findings(Session& session, const std::vector<DoctorFinding>& findings, bool json);

}  // namespace davit
