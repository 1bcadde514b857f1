// Conformance: does a plugin keep the rules of the ABI? `davit plugin:check x.so` and tests/conformance run
// it. Not the loader (that decides what a home uses), and not a test of what a plugin is for: no program
// runs, no app exists.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace davit {

struct ConformanceFinding {
  enum class Level : std::uint8_t {
    kOk,       ///< a rule that was checked and kept
    kWarning,  ///< allowed, but worth a look; or a part that could not be checked without a real host
    kProblem,  ///< a rule is broken
  };
  Level level = Level::kOk;
  std::string check;  ///< stable word for programs: "note", "load", "create", "silence", "threads", ...
  std::string text;   ///< one sentence
};

struct ConformanceReport {
  std::string id, version;  ///< of the note; empty if it could not be read
  std::vector<ConformanceFinding> findings;

  /// No problem among the findings, and the suite came to its end.
  [[nodiscard]] bool passed() const;
};

struct ConformanceOptions {
  std::int64_t timeout_ms = 20'000;  ///< for the whole; a plugin that hangs is killed and named
};

/// Reads the note, then loads the plugin in a forked child of its own (a crash, an exit or an endless loop of
/// the plugin is a finding, not ours) and gives it a recording host that serves what the note lists. The
/// child's fds 0-2 are its own. Call it from a process with one thread. Everything that can go wrong is in
/// the report.
ConformanceReport check_conformance(const std::filesystem::path& plugin,
                                    const ConformanceOptions& options = {});

}  // namespace davit
