// detach: the part of a command that goes on when the command's terminal, ssh connection or hook is gone.
// Not for services: those are units of host/supervise.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "process/unique_fd.hpp"

namespace davit {

struct DetachSpec {
  std::optional<std::filesystem::path>
      log;                    ///< appended to as fds 1 and 2 (made with mode 0600); none: /dev/null
  std::vector<int> keep_fds;  ///< what the detached side keeps besides 0-2; all others are closed
};

/// One of the two sides.
struct Detached {
  bool detached_side = false;
  pid_t pid = 0;  ///< of the detached process
  /// The viewer's side: what the detached side writes (its final state, say), then EOF when it closes its
  /// end: at the confirmed switch, or at its death.
  UniqueFd viewer;
  /// The detached side's end. Write at most a line, then reset(). Not inherited by its children.
  UniqueFd done;
};

/// Returns twice, as fork does. The detached side has its own session, fd 0 on /dev/null, 1 and 2 on the log,
/// and is no child of the viewer (no zombie). SIGHUP, SIGINT and SIGPIPE get their default handling there.
/// Only from a single-threaded program.
Result<Detached> detach(const DetachSpec& spec);

}  // namespace davit
