// The bare repository of an app, with the hook through which every push comes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/defaults.hpp"
#include "base/paths.hpp"
#include "base/result.hpp"
#include "process/process_runner.hpp"

namespace davit {

/// Makes repos/APP.git, or mends its settings and hook. Idempotent. The hook holds davit's absolute path and
/// the home, not the environment's.
Result<> create_repository(const Home& home, const Installation& installation, ProcessRunner& processes,
                           std::string_view app, std::uint64_t max_push_bytes = defaults::kMaxPushBytes);

/// The hook alone, of a repository that has got another name.
Result<> write_hook(const Home& home, const Installation& installation, std::string_view app);

/// What one push may send (receive.maxInputSize; 0: anything): git refuses a larger one while it arrives.
Result<> set_push_limit(const Home& home, ProcessRunner& processes, std::string_view app,
                        std::uint64_t bytes);

/// What is wrong with the app's repository, one line each; for doctor.
std::vector<std::string> repository_problems(const Home& home, const Installation& installation,
                                             std::string_view app);

}  // namespace davit
