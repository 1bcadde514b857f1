// with_terminal: gives a command either our own fds 0-2, or, when those are a terminal, a pty that a relay
// joins to it.
#pragma once

#include <functional>

#include "base/result.hpp"
#include "plugin/capability.hpp"

namespace davit {

/// Runs `body` with the descriptors to use; its value is the exit code. With a terminal (and `wanted`), the
/// relay runs in a child of ours while `body` works; our terminal is restored in every case.
Result<int> with_terminal(bool wanted,
                          const std::function<Result<int>(const StandardFds& fds, bool tty)>& body);

}  // namespace davit
