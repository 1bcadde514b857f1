// HostCore: what the davit.host.* services of all plugins share, and HostSide: the davit_host that one plugin
// sees. Private to host/plugin.
#pragma once

#include <davit/host.h>
#include <sys/types.h>

#include <string_view>
#include <vector>

#include "plugin/abi_text.hpp"
#include "plugin/call_bridge.hpp"
#include "plugin/capability.hpp"
#include "plugin/catalog.hpp"
#include "plugin/plugin_host.hpp"

namespace davit {

class EventBus;
class PluginInstance;

struct HostCore {
  PluginCatalog catalog;
  PluginServices services;
  Capabilities* capabilities = nullptr;  ///< the PluginHost
  EventBus* bus = nullptr;               ///< where plugins' notices go
  std::vector<PluginInstance*> started;  ///< in order
  uid_t owner = 0;                       ///< of the home

  [[nodiscard]] std::int64_t hook_limit_ms() const {
    return std::int64_t{catalog.host().plugin_timeout_s} * 1000;
  }
};

/// Lives as long as the plugin's instance.
class HostSide {
 public:
  HostSide(const CatalogEntry& entry, HostCore& core);
  HostSide(const HostSide&) = delete;
  HostSide& operator=(const HostSide&) = delete;

  [[nodiscard]] const davit_host* abi() const { return &abi_; }
  [[nodiscard]] const CatalogEntry& entry() const { return entry_; }
  [[nodiscard]] HostCore& core() const { return core_; }
  [[nodiscard]] PluginServices& services() const { return core_.services; }
  static HostSide& of(const davit_host* host) { return *static_cast<HostSide*>(host->host_data); }

 private:
  static const void* get_interface(const davit_host* host, davit_str id);
  const CatalogEntry& entry_;
  HostCore& core_;
  davit_host abi_;
};

/// A host function's body: `body()` returns Result<davit_status> or Result<>; an error goes into the call's
/// slot.
template <typename Body>
davit_status serve(const davit_call* call, Body&& body) noexcept {
  try {
    const Result<> result = body();
    if (result) return DAVIT_OK;
    return call == nullptr ? status_of(result.error().code) : CallBridge::of(call).set_error(result.error());
  } catch (...) {
    return DAVIT_INTERNAL;
  }
}

/// A sink's refusal as an error: the plugin's own status comes back to it.
Result<> accepted(davit_status sink_status);

// The tables of services/*.cpp.
const void* basic_service(std::string_view interface_id);
const void* store_service(std::string_view interface_id);
const void* process_service(std::string_view interface_id);
const void* supervise_service(std::string_view interface_id);

}  // namespace davit
