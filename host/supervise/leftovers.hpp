// What a unit can leave behind when its davit-unit was killed: processes of its session, cgroups. Private to
// this room.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.hpp"
#include "supervise/unit_files.hpp"

namespace davit::detail {

/// Kills (SIGKILL) what is left of the session that the unit's state tells of, if it is of this boot. The
/// unit's lock must be held. Timeout if something still lives at `until`, which gets a second in any case.
Result<> kill_leftovers(const UnitFiles& unit, std::int64_t until_mono_ms);
/// Removes the (empty) cgroups that davit-unit made for the unit.
void remove_cgroups(const UnitFiles& unit, std::string_view name);

}  // namespace davit::detail
