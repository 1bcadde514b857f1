// HookAdapter: a plugin's handler of one event, as the event bus sees it. The plugin is loaded at its first
// call.
#pragma once

#include <davit/hooks.h>

#include <string>

#include "events/bus.hpp"
#include "plugin/adapters.hpp"

namespace davit {

class HookAdapter final : public Hook {
 public:
  /// `limit_ms` of one call; 0: none.
  HookAdapter(PluginInstance& instance, EventKind kind, int order, std::int64_t limit_ms);
  [[nodiscard]] std::string_view plugin() const override { return table_.instance().id(); }
  [[nodiscard]] std::string_view version() const override { return table_.instance().entry().version; }
  [[nodiscard]] int order() const override { return order_; }
  Result<> handle(const Event& event, const CallContext& context) override;
  Result<std::string> prepare(const Event& event, const CallContext& context) override;
  Result<> apply(const Event& event, std::string_view token, const CallContext& context) override;
  Result<> undo(const Event& event, std::string_view token, const CallContext& context) override;

 private:
  PluginTable<davit_hooks> table_;
  EventKind kind_;  // looked up once: a hook is called far more often than it is made
  int order_;
  std::int64_t limit_ms_;
};

}  // namespace davit
