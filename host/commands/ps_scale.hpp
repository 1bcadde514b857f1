// ps:scale.
#pragma once

#include "commands/session.hpp"

namespace davit {

Result<int> scale(Session& session, const Arguments& args);

/// "web=2" words to quantities. Invalid: dokku's texts.
Result<Quantities> parse_quantities(const std::vector<std::string>& words);

}  // namespace davit
