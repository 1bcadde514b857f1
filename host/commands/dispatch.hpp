// dispatch: from the words of a command line to the exit code: finds the command (core, then plugins),
// parses, checks home and rights, runs, and says what went wrong.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "commands/session.hpp"

namespace davit {

inline constexpr int kExitFailed = 1;
inline constexpr int kExitNoSuchApp = 20;

/// `words` is argv without argv[0]. Never throws; the exit code is for the shell.
int dispatch(Session& session, const std::vector<std::string>& words);

/// Asks the gate auth.authorize, if a plugin listens to it: for everything that comes over ssh. Local
/// commands are the owner's own, and are not asked about.
Result<> authorize(Session& session, std::string_view command, std::string_view app);

/// Shows an error with its hint, and returns its exit code.
int report_error(Session& session, const Error& error);

}  // namespace davit
