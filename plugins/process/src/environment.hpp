// The environment of what runs in a sandbox: completed, checked, and put into a form that means nothing to
// the programs before it. Values are secrets: never in messages.
#pragma once

#include <string>
#include <string_view>

#include "davit/text.hpp"

namespace davit::process_plugin {

/// Sets `key` unless it is there.
void set_default(sdk::Pairs& env, std::string_view key, std::string_view value);
/// Sets `key`, replacing.
void set_value(sdk::Pairs& env, std::string_view key, std::string_view value);

/// Throws sdk::Failure (invalid) for what the kernel would refuse at exec: an empty key, '=' or NUL in a key,
/// NUL in a value, a variable beyond 128 KiB, more than 1.5 MiB in all.
void check_environment(const sdk::Pairs& env);

/// Keys get the prefix DAVIT_ENV_, which davit-sandbox takes off at the last moment: LD_PRELOAD of an app's
/// config must not reach bwrap, which may run as root.
sdk::Pairs wrapped_environment(const sdk::Pairs& env);

}  // namespace davit::process_plugin
