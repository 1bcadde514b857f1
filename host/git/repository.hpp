// The bare repository of an app, with the hook through which every push comes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/paths.hpp"
#include "base/result.hpp"
#include "process/process_runner.hpp"

namespace davit {

/// Makes repos/APP.git, or mends its settings and hook. Idempotent. The hook holds davit's absolute path and
/// the home, not the environment's.
Result<> create_repository(const Home& home, const Installation& installation, ProcessRunner& processes,
                           std::string_view app);

/// What is wrong with the app's repository, one line each; for doctor.
std::vector<std::string> repository_problems(const Home& home, const Installation& installation,
                                             std::string_view app);

}  // namespace davit
