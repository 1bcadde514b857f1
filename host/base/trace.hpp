// --trace: what happens inside, line by line on stderr with times. Not the log (it is for whoever asked), and
// not UserOutput: it may come from anywhere at any moment.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/call_context.hpp"

namespace davit {

/// Writes "trace 0.132 s: LINE" to stderr (of a deployment: into its log) if the operation is traced; the
/// time is since the start of our process. Threads: any.
void trace(const CallContext& context, std::string_view line);

/// Traces what a plugin did and how long that took, when it is over. Costs nothing if the operation is not
/// traced.
class TracedCall {
 public:
  /// All borrowed: "nginx", "route.switch".
  TracedCall(const CallContext& context, std::string_view plugin, std::string_view what);
  TracedCall(const TracedCall&) = delete;
  TracedCall& operator=(const TracedCall&) = delete;
  ~TracedCall() {
    if (context_.trace) tell();
  }

 private:
  void tell() const;

  const CallContext& context_;
  std::string_view plugin_, what_;
  MonoMs began_ms_ = 0;
};

/// A command line for a trace: words quoted where a shell would need it; the value of KEY=VALUE and the
/// user:password of a URL are ***.
std::string traced_argv(const std::vector<std::string>& argv);

}  // namespace davit
