// Changes of config: set, unset, clear, import, for an app or for all, with gate, notice and deployment.
#pragma once

#include "commands/session.hpp"

namespace davit {

Result<int> config_set(Session& session, const Arguments& args);
Result<int> config_unset(Session& session, const Arguments& args);
Result<int> config_clear(Session& session, const Arguments& args);
Result<int> config_import(Session& session, const Arguments& args);

}  // namespace davit
