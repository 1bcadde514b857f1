// PluginInstance: one enabled plugin at work: loaded, created and started at its first use, called with a
// note in the breadcrumb, stopped at the end. Private to host/plugin.
#pragma once

#include <davit/plugin.h>

#include <optional>
#include <string_view>

#include "base/call_context.hpp"
#include "base/trace.hpp"
#include "guard/breadcrumb.hpp"
#include "plugin/call_bridge.hpp"
#include "plugin/catalog.hpp"
#include "plugin/host_core.hpp"

namespace davit {

class PluginInstance {
 public:
  /// Both borrowed.
  PluginInstance(const CatalogEntry& entry, HostCore& core);
  PluginInstance(const PluginInstance&) = delete;
  PluginInstance& operator=(const PluginInstance&) = delete;

  [[nodiscard]] const CatalogEntry& entry() const { return entry_; }
  [[nodiscard]] const std::string& id() const { return entry_.id; }
  [[nodiscard]] bool loaded() const { return descriptor_ != nullptr; }
  [[nodiscard]] bool started() const { return plugin_ != nullptr; }

  /// Loads, creates and starts it, if it is not. A failure is remembered and returned again: a worker is
  /// short-lived.
  Result<> start(const CallContext& context) {
    if (plugin_ != nullptr) return {};
    return start_now(context);
  }
  /// The table behind an interface id that the note lists under provides (or hooks, commands). kInvalid
  /// "plugin-interface" when the plugin does not have it, or a smaller one than `minimum_bytes`. Started
  /// before.
  Result<const void*> table(std::string_view interface_id, std::size_t minimum_bytes);
  /// stop() and destroy(). Afterwards it cannot be started again.
  void stop(const CallContext& context);

  /// Calls `body(plugin, call)`, which returns a davit_status. `what` is noted in the breadcrumb; `limit_ms`
  /// as there.
  template <typename Body>
  Result<> call(std::string_view what, std::int64_t limit_ms, const CallContext& context, Body&& body) {
    CallBridge bridge(context, entry_.id, core_.services.log.get());
    const auto note = core_.services.breadcrumb.enter(entry_.id, what, limit_ms);
    const TracedCall traced(context, entry_.id, what);
    return bridge.finish(body(plugin_, bridge.call()), what);
  }

 private:
  Result<> start_now(const CallContext& context);
  Result<> load_and_start(const CallContext& context);

  const CatalogEntry& entry_;
  HostCore& core_;
  HostSide side_;
  const davit_plugin_descriptor* descriptor_ = nullptr;
  davit_plugin* plugin_ = nullptr;
  std::optional<Error> failure_;
};

}  // namespace davit
