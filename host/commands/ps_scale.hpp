// ps:scale, and what it shares with other commands of ps.
#pragma once

#include "commands/session.hpp"

namespace davit {

Result<int> scale(Session& session, const Arguments& args);

/// "web=2" words to quantities. Invalid: dokku's texts.
Result<Quantities> parse_quantities(const std::vector<std::string>& words);

/// Invalid, with the nearest in the hint: the release has no such process type. `purpose` is what it was
/// wanted to.
Result<> check_type_of(const Release& release, const std::string& type, std::string_view purpose);

}  // namespace davit
