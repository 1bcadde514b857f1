// See service_mounts.hpp; what is inside is the runtime's: sdk/include/davit/runtime.h, describe.
#include "lifecycle/service_mounts.hpp"

#include <fmt/format.h>

namespace davit {
namespace {

constexpr std::string_view kInside = "/run/davit-services";

Result<bool> takes_sockets(Capabilities& capabilities, std::string_view runtime, const CallContext& context) {
  DAVIT_TRY_ASSIGN(Runtime * chosen, capabilities.runtime(runtime));
  DAVIT_TRY_ASSIGN(const TextMap facts, chosen->describe(context));
  const auto loopback = facts.find("loopback");
  return loopback != facts.end() && loopback->second == "sockets";
}

}  // namespace

Result<std::vector<HostMount>> all_mounts(const LifecycleServices& services, const App& app,
                                          const std::vector<NewLink>& links, std::string_view runtime,
                                          const CallContext& context) {
  DAVIT_TRY_ASSIGN(auto mounts, mounts_of_app(services.store, services.home, app.id));
  if (links.empty()) return mounts;
  DAVIT_TRY_ASSIGN(const bool sockets, takes_sockets(services.capabilities, runtime, context));
  if (!sockets) return mounts;
  for (const NewLink& link : links) {
    DAVIT_TRY_ASSIGN(const Service service, services.store.services().get(link.service));
    DAVIT_TRY_ASSIGN(std::string folder, services.open_socket(service));
    mounts.push_back({{std::move(folder), fmt::format("{}/{}", kInside, service.port), true, false}, true});
  }
  return mounts;
}

}  // namespace davit
