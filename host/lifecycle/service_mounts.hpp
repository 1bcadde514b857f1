// What an app's instances and one-off processes have mounted: its storage, and, where 127.0.0.1 inside is not
// the machine's, the sockets of the services that it is linked to. So a link's URL is the same on every
// runtime.
#pragma once

#include <string_view>
#include <vector>

#include "lifecycle/services.hpp"
#include "lifecycle/storage.hpp"

namespace davit {

Result<std::vector<HostMount>> all_mounts(const LifecycleServices& services, const App& app,
                                          const std::vector<NewLink>& links, std::string_view runtime,
                                          const CallContext& context);

}  // namespace davit
