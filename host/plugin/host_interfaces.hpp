// The davit.host.*/N ids that this host serves. Known without loading anything, so that a plugin's `requires`
// can be refused before dlopen.
#pragma once

#include <davit/host.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace davit {

inline constexpr std::array<std::string_view, 14> kHostInterfaces{
    DAVIT_HOST_LOG_ID,       DAVIT_HOST_SETTINGS_ID, DAVIT_HOST_PROPERTIES_ID, DAVIT_HOST_KV_ID,
    DAVIT_HOST_CLOCK_ID,     DAVIT_HOST_PATHS_ID,    DAVIT_HOST_PROCESS_ID,    DAVIT_HOST_TASK_ID,
    DAVIT_HOST_SUPERVISE_ID, DAVIT_HOST_PORTS_ID,    DAVIT_HOST_SECRETS_ID,    DAVIT_HOST_APPS_ID,
    DAVIT_HOST_EVENTS_ID,    DAVIT_HOST_REGISTRY_ID};

inline bool is_served(std::string_view interface_id) {
  return std::find(kHostInterfaces.begin(), kHostInterfaces.end(), interface_id) != kHostInterfaces.end();
}

}  // namespace davit
