// The question before something is destroyed.
#pragma once

#include <string>

#include "commands/session.hpp"

namespace davit {

/// Asks for `name` to be typed, unless --force. Cancelled when it was not.
Result<> confirm(Session& session, const std::string& name, const std::string& consequence);

}  // namespace davit
