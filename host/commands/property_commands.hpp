// GROUP:set and GROUP:report for every group that has properties, of the core and of plugins.
#pragma once

#include <functional>
#include <string_view>

#include "cli/cli_command.hpp"
#include "cli/properties.hpp"
#include "commands/session.hpp"
#include "commands/table.hpp"

namespace davit {

/// The core's groups of properties: "apps", "checks", "git", "ps"; with an empty list for others.
PropertyGroup core_properties(std::string_view group);

/// Specs of GROUP:set and GROUP:report.
constexpr CliCommand property_set_spec(std::string_view name) {
  return {.name = name,
          .usage = "<app>|--global <key> [<value>]",
          .summary = "Set or clear a property of an app, or for all apps",
          .app = AppArgument::kOrGlobal,
          .maximum_args = 2,
          .unknown_flags = UnknownFlags::kValueAtEnd};
}

inline constexpr CliFlag kReportFlags[] = {kFormatFlag};

constexpr CliCommand property_report_spec(std::string_view name) {
  return {.name = name,
          .usage = "[<app>|--global] [<flag>|--format text|json]",
          .summary = "Show the report of one or all apps",
          .app = AppArgument::kOptional,
          .flags = kReportFlags,
          .unknown_flags = UnknownFlags::kReportKey};
}

/// `GROUP:set APP|--global KEY [VALUE]`: checks, asks the gate property.change, writes, says so and
/// publishes property.changed.
Result<int> set_property(Session& session, const Arguments& args, const PropertyGroup& group);

/// After GROUP:set of a runtime's own properties for an app that runs on another: a warning that they mean
/// nothing there.
Result<> tell_of_other_runtime(Session& session, const Arguments& args, std::string_view group);

/// Adds rows to one app's report (of id AppId::kGlobal: the global one), besides those of the properties.
using MoreRows = std::function<Result<>(Report& report, const App& app)>;

/// `GROUP:report [APP|--global] [--flag | --format json]`, of one app or of all.
Result<int> show_report(Session& session, const Arguments& args, const PropertyGroup& group,
                        const MoreRows& more = {});

/// A report that is made already, in the form that was asked for.
Result<int> show_single_report(Session& session, const Arguments& args, const Report& report);

/// One app's report of one group, for `report` over all groups.
Result<Report> make_report(Session& session, const PropertyGroup& group, const App& app,
                           const MoreRows& more);

/// GROUP:set of a group of the core, for its table: the group is the word before the colon.
Result<int> set_core_property(Session& session, const Arguments& args);

constexpr CoreCommand core_set(std::string_view name, std::string_view usage = property_set_spec({}).usage) {
  CliCommand spec = property_set_spec(name);
  spec.usage = usage;
  return {spec, set_core_property};
}

}  // namespace davit
