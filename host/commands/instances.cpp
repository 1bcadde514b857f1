// What really runs: see the header.
#include "commands/instances.hpp"

#include "base/text.hpp"
#include "cli/json.hpp"

namespace davit {

Result<std::vector<InstanceLine>> read_instance_lines(std::string_view text) {
  std::vector<InstanceLine> lines;
  for (const std::string& line : split_lines(text)) {
    if (trim(line).empty()) continue;
    DAVIT_TRY_ASSIGN(auto members, read_json_object(line));
    lines.push_back(
        {members["id"], members["type"], members["number"], members["state"], members["exit_code"], line});
  }
  return lines;
}

Result<std::vector<InstanceLine>> list_instances(Session& session, const App& app) {
  DAVIT_TRY_ASSIGN(const std::string text, session.work_captured({"ps", app.name}));
  return read_instance_lines(text);
}

}  // namespace davit
