// retention: set, report. What the values do: lifecycle/retention.hpp and collect.hpp.
#include "commands/reports.hpp"
#include "commands/table.hpp"

namespace davit {

std::span<const CoreCommand> retention_commands() {
  static constexpr CoreCommand kCommands[] = {core_report_command("retention:report"),
                                              core_set("retention:set")};
  return kCommands;
}

}  // namespace davit
