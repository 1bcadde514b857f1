// git:from-archive, git:from-image and git:sync, for the table in git.cpp.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "cli/arguments.hpp"
#include "commands/session.hpp"

namespace davit {

/// How the source of a release begins whose app is an image; the image's name follows.
inline constexpr std::string_view kFromImage = "git:from-image ";

Result<int> git_from_archive(Session& session, const Arguments& args);
Result<int> git_from_image(Session& session, const Arguments& args);
Result<int> git_sync(Session& session, const Arguments& args);

}  // namespace davit
