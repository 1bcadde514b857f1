// UserOutput: what a user sees of an operation. Not the log. A command's stdout, a deployment's log file and
// a test's recorder each implement it; the forms ("-----> X") are the implementation's, not the caller's.
#pragma once

#include <cstdint>
#include <string_view>

namespace davit {

/// Threads: one at a time, unless an implementation says more. Text is one line without a newline where
/// "line" is said.
class UserOutput {
 public:
  virtual ~UserOutput() = default;
  virtual void result(std::string_view bytes) = 0;  ///< what a command was asked for; passed on unchanged
  virtual void header(std::string_view line) = 0;   ///< "=====> line"; vanishes with --quiet
  virtual void step(std::string_view line) = 0;     ///< "-----> line"
  virtual void detail(
      std::string_view bytes) = 0;  ///< tools' output; any bytes, lines may be cut anywhere; indented by 7
  virtual void warning(std::string_view line) = 0;  ///< " !     line" on stderr
  /// A live line; total 0 is unknown. Cheap to call often.
  virtual void progress(std::string_view label, std::uint64_t done, std::uint64_t total,
                        std::string_view unit) = 0;
};

}  // namespace davit
