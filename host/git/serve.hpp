// serve_git: git's own programs on an app's repository, for pushes and clones over ssh.
#pragma once

#include <string_view>

#include "base/paths.hpp"
#include "base/result.hpp"
#include "process/process_runner.hpp"

namespace davit {

/// Runs git-receive-pack, git-upload-pack or git-upload-archive with our fds 0-2. The hook learns the actor
/// by DAVIT_ACTOR. Exit code.
Result<int> serve_git(const Home& home, ProcessRunner& processes, std::string_view service,
                      std::string_view app, std::string_view actor);

}  // namespace davit
