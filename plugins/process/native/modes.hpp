// What davit-sandbox can do; one function a mode. None of them returns to main but by an exit code.
#pragma once

#include "options.hpp"

namespace davit::sandbox {

/// `inside`: the first program in a sandbox (pid 1): takes over the app's environment, the terminal, the
/// limits and the app user, then becomes the program (davit-init).
int run_inside(const Options& options);

/// `task`: outside, parent of a program that runs once: forwards stop requests to the inside, kills what is
/// left at the end, and returns the program's exit code. It dies with its own parent, and everything with it.
int run_task(const Options& options);

/// `join`: a program inside a running instance: its namespaces, environment, folder and user.
int run_join(const Options& options);

/// `as`: a plain program as another user, with the folder opened before the drop.
int run_as(const Options& options);

/// `ids`: prints "UID GID".
int run_ids();

}  // namespace davit::sandbox
