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

/// `mount`: outside, just before bwrap, which follows links: looks at what is mounted inside the app or
/// inside another mount, where the app may have left one, and ends with a message if it has. As root also
/// mounts it, on the very folder that was seen, and bwrap gets what is around with all that is in it: another
/// instance may have been handed a descriptor of the folder, and put a link there after any look. A normal
/// user has no right to mount, and nothing to fear: bwrap can do no more than the app.
int run_mount(const Options& options);

/// `as`: a plain program as another user, with the folder opened before the drop.
int run_as(const Options& options);

/// `ids`: prints "UID GID".
int run_ids();

}  // namespace davit::sandbox
