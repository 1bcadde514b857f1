// The rows of each group's report that are facts and no properties. Used by GROUP:report and by `report`.
#pragma once

#include <string_view>

#include "commands/property_commands.hpp"

namespace davit {

/// What GROUP:report of a group of the core says: its properties and these rows.
struct CoreReport {
  PropertyGroup group;
  MoreRows rows;
};

/// `with_status`: ps also asks the runtime, which starts a worker.
CoreReport core_report(Session& session, std::string_view group, bool with_status = false);
/// Of every group that has a report, sorted.
std::vector<CoreReport> core_reports(Session& session);

/// GROUP:report of a group of the core, for its table: the group is the word before the colon.
Result<int> show_core_report(Session& session, const Arguments& args);

constexpr CoreCommand core_report_command(std::string_view name) {
  return {property_report_spec(name), show_core_report};
}

/// How a plugin that is a proxy works on this machine (its mode and the like); nothing for other groups. The
/// first row starts a worker.
MoreRows proxy_rows(Session& session, std::string_view group);

}  // namespace davit
