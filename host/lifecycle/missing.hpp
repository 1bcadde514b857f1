// Missing: instances that should run and do not, as after somebody removed or stopped containers by hand. It
// only looks; what crashed, and is to be started again, is the runtime's business.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "lifecycle/services.hpp"

namespace davit {

struct MissingInstances {
  std::string app;
  std::size_t gone = 0;
  std::size_t wanted = 0;

  [[nodiscard]] std::string text() const;  ///< "2 of 3 instances of shop do not run"
  [[nodiscard]] std::string hint() const;  ///< which command starts them anew
};

/// Of the apps that run, by name. Those that are being deployed are left out, and groups whose runtime cannot
/// be asked.
Result<std::vector<MissingInstances>> missing_instances(const LifecycleServices& services,
                                                        const CallContext& call);

}  // namespace davit
