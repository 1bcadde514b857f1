// GROUP:set and GROUP:report for every group that has properties, of the core and of plugins.
#pragma once

#include <functional>
#include <string_view>

#include "cli/cli_command.hpp"
#include "cli/properties.hpp"
#include "commands/session.hpp"

namespace davit {

/// The core's groups of properties: "apps", "checks", "git", "ps"; with an empty list for others.
PropertyGroup core_properties(std::string_view group);

/// Spec of a GROUP:set or GROUP:report without its name.
CliCommand property_set_spec();
CliCommand property_report_spec();

/// `GROUP:set APP|--global KEY [VALUE]`: checks, writes, says so and publishes property.changed.
Result<int> set_property(Session& session, const Arguments& args, const PropertyGroup& group);

/// Adds rows to one app's report (AppId::kGlobal: the global one), besides those of the properties.
using MoreRows = std::function<Result<>(Report& report, const App& app)>;

/// `GROUP:report [APP|--global] [--flag | --format json]`, of one app or of all.
Result<int> show_report(Session& session, const Arguments& args, const PropertyGroup& group,
                        const MoreRows& more = {});

/// A report that is made already, in the form that was asked for.
Result<int> show_single_report(Session& session, const Arguments& args, const Report& report);

/// One app's report of one group, for `report` over all groups.
Result<Report> make_report(Session& session, const PropertyGroup& group, const App& app,
                           const MoreRows& more);

/// Handlers for tables: the group is the word before the colon of the command's name.
Result<int> set_core_property(Session& session, const Arguments& args);

}  // namespace davit
