// What davit has to know of a Dockerfile before an engine builds it: where its images come from, and whether
// it speaks what only BuildKit understands. Everything else is the engine's to read. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace davit::dockerfile {

struct DockerfileText {
  /// Of FROM lines, as written; stages of the file itself and scratch are left out.
  std::vector<std::string> bases;
  /// What the last stage stands on; empty: scratch, or known to the engine only.
  std::string final_base;
  /// The first word that only BuildKit understands ("RUN --mount"); empty: every builder does.
  std::string needs_buildkit;
};

/// Throws sdk::Failure (failed) for a file without FROM.
DockerfileText read_dockerfile(std::string_view text);

/// "FROM IMAGE" and a newline, which is what git:from-image writes.
bool is_from_alone(std::string_view text);

}  // namespace davit::dockerfile
