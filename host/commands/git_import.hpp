// git:from-archive and git:sync, for the table in git.cpp.
#pragma once

#include "base/result.hpp"
#include "cli/arguments.hpp"
#include "commands/session.hpp"

namespace davit {

Result<int> git_from_archive(Session& session, const Arguments& args);
Result<int> git_sync(Session& session, const Arguments& args);

}  // namespace davit
