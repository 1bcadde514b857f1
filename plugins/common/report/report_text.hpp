// The forms of a report, as all of davit's commands show them: lines, one value, JSON with each key bare and
// with its group.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "davit/call.hpp"
#include "davit/commands.hpp"
#include "davit/host.hpp"
#include "davit/text.hpp"

namespace davit::reports {

/// Keys such as "buildpacks-stack" become "       Buildpacks stack:     VALUE", sorted.
std::string report_text(sdk::Pairs rows);
/// An object; "GROUP-stack" is there as "stack" too.
std::string report_json(const sdk::Pairs& rows, std::string_view group);
/// One value. @throws sdk::Failure that lists the flags.
std::string report_value(const sdk::Pairs& rows, std::string_view key);
/// GROUP:report of one app, of all, or the global one, in the form that the flags ask for; exit code.
/// `rows_of` gets an app's name, empty for the global report.
int show_reports(const sdk::Host& host, const sdk::Call& call, const sdk::Command& command,
                 std::string_view group, const std::function<sdk::Pairs(const std::string& app)>& rows_of);
/// Of --format. @throws sdk::Failure for others than text and json.
bool wants_json(const sdk::Command& command);
/// A JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
std::string json_text(std::string_view text);

}  // namespace davit::reports
