// One loaded plugin: create, start, interfaces, stop, destroy.
#include "plugin/plugin_instance.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "plugin/abi_text.hpp"
#include "plugin/loader.hpp"

namespace davit {

PluginInstance::PluginInstance(const CatalogEntry& entry, HostCore& core)
    : entry_(entry), core_(core), side_(entry, core) {}

Result<> PluginInstance::start_now(const CallContext& context) {
  if (failure_) return fail(*failure_);
  auto started = load_and_start(context);
  if (started) {
    core_.started.push_back(this);
    return {};
  }
  failure_ = std::move(started).error();
  failure_->context.push_back(fmt::format("plugin {} did not start", entry_.id));
  if (failure_->hint.empty())
    failure_->hint = fmt::format("To go on without it: `davit plugin:disable {}`", entry_.id);
  return fail(*failure_);
}

Result<> PluginInstance::load_and_start(const CallContext& context) {
  const std::int64_t limit_ms = core_.hook_limit_ms();
  if (entry_.problem) return fail(*entry_.problem);
  if (descriptor_ == nullptr) {
    const auto note = core_.services.breadcrumb.enter(entry_.id, "load", limit_ms);
    DAVIT_TRY_ASSIGN(descriptor_, load_plugin(entry_.path, entry_.note, {core_.owner}));
  }
  davit_plugin* made = nullptr;
  DAVIT_TRY(call("create", limit_ms, context, [&](davit_plugin*, const davit_call* call) {
    return descriptor_->create(side_.abi(), call, &made);
  }));
  if (made == nullptr)
    return fail(Code::kInternal, fmt::format("plugin {} made no instance", entry_.id), {}, "plugin-silent");
  const Result<> started = call("start", limit_ms, context, [&](davit_plugin*, const davit_call* call) {
    return descriptor_->start(made, call);
  });
  if (!started) {
    const auto note = core_.services.breadcrumb.enter(entry_.id, "destroy", limit_ms);
    descriptor_->destroy(made);
    return started;
  }
  plugin_ = made;
  return {};
}

Result<const void*> PluginInstance::table(std::string_view interface_id, std::size_t minimum_bytes) {
  const void* table = nullptr;
  {
    const auto note = core_.services.breadcrumb.enter(entry_.id, interface_id, core_.hook_limit_ms());
    table = descriptor_->get_interface(plugin_, abi(interface_id));
  }
  // Every table begins with struct_size.
  if (table == nullptr || *static_cast<const std::uint32_t*>(table) < minimum_bytes)
    return fail(
        Code::kInternal,
        fmt::format("plugin {} says in its note that it has {}, but {}", entry_.id, interface_id,
                    table == nullptr ? "it does not give it" : "gives a table that is too small"),
        fmt::format("This is a mistake in the plugin; disable it: `davit plugin:disable {}`", entry_.id),
        "plugin-interface");
  return table;
}

void PluginInstance::stop(const CallContext& context) {
  if (plugin_ == nullptr) return;
  const std::int64_t limit_ms = core_.hook_limit_ms();
  (void)call("stop", limit_ms, context, [&](davit_plugin* plugin, const davit_call* call) {
    descriptor_->stop(plugin, call);
    return DAVIT_OK;
  });
  const auto note = core_.services.breadcrumb.enter(entry_.id, "destroy", limit_ms);
  descriptor_->destroy(plugin_);
  plugin_ = nullptr;
  failure_ = Error{
      Code::kInternal, fmt::format("plugin {} was stopped already", entry_.id), {}, "plugin-stopped", {}};
}

}  // namespace davit
