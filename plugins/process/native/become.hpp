// Turning this process into what is to run: limits, terminal, user, environment, exec. Used on both sides of
// the sandbox's wall.
#pragma once

#include <string>
#include <vector>

#include "options.hpp"

namespace davit::sandbox {

/// Names of the app's variables carry this prefix until the last exec, so that none of them (LD_PRELOAD,
/// GCONV_PATH,
/// ...) means anything to the programs before it, which may run as root outside the sandbox.
inline constexpr char kEnvPrefix[] = "DAVIT_ENV_";

/// The variables of our own environment that carry the prefix, without it: "KEY=VALUE".
std::vector<std::string> prefixed_environment();

/// Later entries replace earlier ones of the same key.
std::vector<std::string> merged(std::vector<std::string> base, const std::vector<std::string>& more);

/// Gives fds 0-2 to the user where they are pipes or terminals: /dev/stdout is opened anew by apps, and that
/// asks for the owner.
void hand_over_stdio(const Options& options);

/// setrlimit for what the options name.
void apply_rlimits(const Options& options);

/// A session of our own with fd 0 as its terminal.
void take_terminal();

/// Drops to the options' user (if it is not the present one) and, always, all capabilities and the way to new
/// privileges. The process dies with its parent afterwards.
void drop_privileges(const Options& options);

/// Replaces the process. argv[0] is looked up in the PATH of `environment`.
[[noreturn]] void execute(const std::vector<char*>& argv, const std::vector<std::string>& environment);

}  // namespace davit::sandbox
