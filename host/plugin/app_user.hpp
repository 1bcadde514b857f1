// The account to which everything that runs others' code drops: builds, instances, and the owner of what they
// keep in storage.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "process/process_runner.hpp"

namespace davit {

/// `configured`: [host] app_user of plugins.toml; "": a uid without an account. nullopt: we are not root, and
/// everything runs as we do. Invalid "app-user-invalid".
Result<std::optional<RunAs>> app_user_of(std::string_view configured);

}  // namespace davit
