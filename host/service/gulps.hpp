// Gulps: how a pipe between a program and us is emptied and filled. Programs write and read as little as 4
// KiB at once; with a wake-up for each, both sides spend more on waking than on the data. So the pipe is made
// large, and who copies lets it fill, or empty, for a moment.
#pragma once

#include <fcntl.h>

#include <cstddef>

namespace davit {

inline constexpr std::size_t kGulpBytes = std::size_t{1024} * 1024;

/// For how many ms to leave the pipe alone between two gulps. 0: it could not be made large, and a moment
/// would only hold up the program.
inline int make_gulps(int pipe) {
  constexpr int kMomentMs = 1;
  return ::fcntl(pipe, F_SETPIPE_SZ, static_cast<int>(kGulpBytes)) < 0 ? 0 : kMomentMs;
}

}  // namespace davit
