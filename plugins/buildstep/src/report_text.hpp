// The forms of a report, as all of davit's commands show them: lines, one value, JSON with each key bare and
// with its group.
#pragma once

#include <string>
#include <string_view>

#include "davit/text.hpp"

namespace davit::buildstep {

/// Keys such as "buildpacks-stack" become "       Buildpacks stack:     VALUE", sorted.
std::string report_text(sdk::Pairs rows);
/// An object; "buildpacks-stack" is there as "stack" too.
std::string report_json(const sdk::Pairs& rows);
/// One value. @throws sdk::Failure that lists the flags.
std::string report_value(const sdk::Pairs& rows, std::string_view key);
/// A JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
std::string json_text(std::string_view text);

}  // namespace davit::buildstep
