// Findings: see the header.
#include "commands/findings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "cli/json.hpp"

namespace davit {

Result<std::vector<DoctorFinding>> plugin_findings(Session& session) {
  std::vector<DoctorFinding> findings;
  DAVIT_TRY_ASSIGN(const PluginCatalog* catalog, session.catalog());
  for (const CatalogEntry& entry : catalog->entries()) {
    if (entry.enabled && entry.problem)
      findings.push_back({entry.id, "problem", entry.problem->text(), entry.problem->hint});
  }
  auto text = session.work_captured({"doctor"});
  if (!text) {
    findings.push_back({"host", "problem", text.error().text(), text.error().hint});
    return findings;
  }
  for (const std::string& line : split_lines(*text)) {
    if (trim(line).empty()) continue;
    DAVIT_TRY_ASSIGN(auto members, read_json_object(line));
    findings.push_back({members["plugin"], members["level"], members["what"], members["hint"]});
  }
  return findings;
}

int show_findings(Session& session, const std::vector<DoctorFinding>& findings, bool json) {
  const bool sick =
      std::ranges::any_of(findings, [](const DoctorFinding& finding) { return finding.level == "problem"; });
  if (json) {
    std::vector<std::string> items;
    for (const DoctorFinding& finding : findings) {
      items.push_back(JsonObject()
                          .text("part", finding.part)
                          .text("level", finding.level)
                          .text("what", finding.what)
                          .text("hint", finding.hint)
                          .str());
    }
    session.out().result(json_array(items) + "\n");
    return sick ? 1 : 0;
  }
  for (const DoctorFinding& finding : findings) {
    if (finding.level == "ok") {
      session.out().result(fmt::format("       {}: {}\n", finding.part, finding.what));
      continue;
    }
    session.out().warning(
        fmt::format("{}: {}{}", finding.part, finding.level == "problem" ? "" : "warning: ", finding.what));
    if (!finding.hint.empty()) session.out().warning("    " + finding.hint);
  }
  return sick ? 1 : 0;
}

}  // namespace davit
