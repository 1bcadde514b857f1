// CallContext: who asked for an operation, for which app, until when, and where its words go. One per
// operation; handed down by reference to everything that works on it, plugins included (there it becomes the
// davit_call).
#pragma once

#include <functional>
#include <string>

#include "base/clock.hpp"
#include "base/output.hpp"

namespace davit {

struct CallContext {
  std::string actor;            ///< "local:ada", "ssh:ada-laptop", "system"
  std::string app;              ///< may be empty
  std::string deployment;       ///< "d17", or empty
  MonoMs deadline_mono_ms = 0;  ///< 0: none
  bool quiet = false;
  bool force = false;
  bool trace = false;
  bool tty = false;                                        ///< the result stream ends on a terminal
  UserOutput& out;                                         ///< borrowed; outlives the context
  std::function<bool()> cancelled = [] { return false; };  ///< any thread; cheap
};

}  // namespace davit
