// app-json: where an app keeps its app.json.
#include "commands/reports.hpp"

namespace davit {

std::span<const CoreCommand> app_json_commands();

std::span<const CoreCommand> app_json_commands() {
  static constexpr CoreCommand kCommands[] = {
      core_report_command("app-json:report"),
      core_set("app-json:set"),
  };
  return kCommands;
}

}  // namespace davit
