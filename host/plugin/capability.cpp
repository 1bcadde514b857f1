// The words of what capabilities deal in.
#include "plugin/capability.hpp"

namespace davit {

std::string_view name_of(InstanceState state) {
  switch (state) {
    case InstanceState::kStarting:
      return "starting";
    case InstanceState::kUp:
      return "running";
    case InstanceState::kBackoff:
      return "crashed";
    case InstanceState::kExited:
      return "exited";
    case InstanceState::kStopping:
      return "stopping";
  }
  return "unknown";
}

Result<> Runtime::make_stack(const std::string& name, const std::vector<std::string>& /*packages*/,
                             bool /*anew*/, const CallContext& /*context*/) {
  return fail(Code::kUnavailable, "The runtime " + std::string(id()) + " makes no stack " + name, {},
              "unsupported");
}

Result<std::string> Runtime::build_stack(const std::string& /*app*/, const CallContext& /*context*/) {
  return std::string();
}

}  // namespace davit
