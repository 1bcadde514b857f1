// davit.hooks/1 as Hooks; the plugin is loaded at its first event.
#include "plugin/hook_adapter.hpp"

#include <fmt/format.h>

#include "plugin/event_payload.hpp"

namespace davit {
namespace {

/// A function that the table must have for this kind of event.
davit_status missing(const davit_call* call, std::string_view function) {
  const std::string message = fmt::format("The plugin has a hook for this event but no {}()", function);
  call->fail(call, abi("hook-missing"), abi(message), abi("This is a mistake in the plugin"));
  return DAVIT_INTERNAL;
}

}  // namespace

HookAdapter::HookAdapter(PluginInstance& instance, EventKind kind, int order, std::int64_t limit_ms)
    : table_(instance, DAVIT_HOOKS_ID, offsetof(davit_hooks, undo) + sizeof(davit_hooks::undo)),
      kind_(kind),
      order_(order),
      limit_ms_(limit_ms) {}

Result<> HookAdapter::handle(const Event& event, const CallContext& context) {
  const EventStruct in(event, kind_);
  return table_.call(event.id, limit_ms_, context, [&](const davit_hooks& table, auto* plugin, auto* call) {
    return table.handle == nullptr ? missing(call, "handle") : table.handle(plugin, call, in.get());
  });
}

Result<std::string> HookAdapter::prepare(const Event& event, const CallContext& context) {
  const EventStruct in(event, kind_);
  std::string token;
  const davit_sink sink = text_sink(token);
  DAVIT_TRY(
      table_.call(event.id, limit_ms_, context, [&](const davit_hooks& table, auto* plugin, auto* call) {
        return table.prepare == nullptr ? missing(call, "prepare")
                                        : table.prepare(plugin, call, in.get(), &sink);
      }));
  if (token.size() > kMaxStepTokenBytes)
    return fail(
        Code::kInternal,
        fmt::format("plugin {} left a token of {} bytes; 64 KiB is the limit", plugin(), token.size()),
        "This is a mistake in the plugin", "token-too-large");
  return token;
}

Result<> HookAdapter::apply(const Event& event, std::string_view token, const CallContext& context) {
  const EventStruct in(event, kind_);
  return table_.call(event.id, limit_ms_, context, [&](const davit_hooks& table, auto* plugin, auto* call) {
    return table.apply == nullptr ? missing(call, "apply") : table.apply(plugin, call, in.get(), abi(token));
  });
}

Result<> HookAdapter::undo(const Event& event, std::string_view token, const CallContext& context) {
  const EventStruct in(event, kind_);
  return table_.call(event.id, limit_ms_, context, [&](const davit_hooks& table, auto* plugin, auto* call) {
    return table.undo == nullptr ? missing(call, "undo") : table.undo(plugin, call, in.get(), abi(token));
  });
}

}  // namespace davit
