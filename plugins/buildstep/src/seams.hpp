// What buildstep needs of the outside, as abstract classes: programs on the host, the sandbox, and the
// pusher's screen. The plugin implements them on the SDK; the tests implement them without a host.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "davit/text.hpp"
#include "davit/values.hpp"

namespace davit::buildstep {

/// A program on the host, by argv; never a shell.
struct Program {
  sdk::Strings argv;  ///< argv[0] is looked up in the host's PATH
  sdk::Pairs env;     ///< complete; PATH, HOME and LANG are supplied when it is empty
  std::string input;  ///< to stdin; may hold secrets, which argv must not
  std::uint64_t timeout_ms = 0;
  sdk::Output out;  ///< stdout; empty: discarded
  sdk::Output err;  ///< stderr; empty: to out
};

class Programs {
 public:
  virtual ~Programs() = default;
  /// Runs it to its end. Exit code, or 128 + signal. Throws only if it could not be started or was cancelled.
  virtual int run(const Program& program) = 0;
};

class Sandbox {
 public:
  virtual ~Sandbox() = default;
  /// Runs the task to its end in the app's runtime; exit code. Throws sdk::HostFailure with DAVIT_TIMEOUT or
  /// DAVIT_CANCELLED when it was ended.
  virtual int run(const sdk::Task& task) = 0;
};

/// What the pusher sees. Each of step, header and warning is one line without its arrow.
class Screen {
 public:
  virtual ~Screen() = default;
  virtual void step(std::string_view text) = 0;
  virtual void header(std::string_view text) = 0;
  virtual void warning(std::string_view text) = 0;
  virtual void detail(std::string_view line) = 0;
};

}  // namespace davit::buildstep
