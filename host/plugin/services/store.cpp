// davit.host.properties, kv, ports, apps: what lives in the store.
#include <fmt/format.h>

#include <algorithm>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "plugin/host_core.hpp"
#include "plugin/port_lease.hpp"
#include "store/store.hpp"

namespace davit {
namespace {

Store& store(const davit_host* host) {
  return HostSide::of(host).services().store;
}

/// An empty name is the global scope.
Result<AppId> scope_of(const davit_host* host, davit_str app) {
  if (app.size == 0) return AppId::kGlobal;
  // While an app is being renamed, plugins hear both of its names.
  DAVIT_TRY_ASSIGN(const App found, store(host).apps().get_by_any_name(view(app)));
  return found.id;
}

tl::unexpected<Error> not_set(std::string_view group, std::string_view key) {
  return fail(Code::kNotFound, fmt::format("{} {} is not set", clean_line(group), clean_line(key)), {},
              "property-missing");
}

davit_status property_get(const davit_host* host, const davit_call* call, davit_str app, davit_str group,
                          davit_str key, const davit_sink* value) {
  return serve(call, [&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const AppId scope, scope_of(host, app));
    DAVIT_TRY_ASSIGN(const auto found, store(host).properties().effective(scope, view(group), view(key)));
    if (found) return accepted(put(value, *found));
    const auto declared = HostSide::of(host).core().catalog.property(view(group), view(key));
    if (declared && declared->spec->default_value)
      return accepted(put(value, *declared->spec->default_value));
    return not_set(view(group), view(key));
  });
}

davit_status property_get_own(const davit_host* host, const davit_call* call, davit_str app, davit_str group,
                              davit_str key, const davit_sink* value) {
  return serve(call, [&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const AppId scope, scope_of(host, app));
    DAVIT_TRY_ASSIGN(const auto found, store(host).properties().get(scope, view(group), view(key)));
    if (!found) return not_set(view(group), view(key));
    return accepted(put(value, *found));
  });
}

/// A declared property is checked against its schema; one that is not declared is the plugin's own business.
Result<> check_property(const davit_host* host, davit_str app, davit_str group, davit_str key,
                        davit_str value) {
  const auto declared = HostSide::of(host).core().catalog.property(view(group), view(key));
  if (!declared) return {};
  if (app.size == 0 && !declared->spec->global)
    return fail(Code::kInvalid, "Property cannot be specified globally", {}, "property-not-global");
  return check_value(declared->spec->type, declared->spec->values, view(value));
}

davit_status property_set(const davit_host* host, const davit_call* call, davit_str app, davit_str group,
                          davit_str key, davit_str value) {
  return serve(call, [&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const AppId scope, scope_of(host, app));
    DAVIT_TRY(check_property(host, app, group, key, value));
    return store(host).properties().set(scope, view(group), view(key), view(value));
  });
}

davit_status property_unset(const davit_host* host, const davit_call* call, davit_str app, davit_str group,
                            davit_str key) {
  return serve(call, [&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const AppId scope, scope_of(host, app));
    DAVIT_TRY(store(host).properties().unset(scope, view(group), view(key)));
    return {};
  });
}

davit_status list_each(const davit_host* host, const davit_call* call, davit_str app, davit_str group,
                       davit_str key, const davit_str_sink* items) {
  return serve(call, [&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const AppId scope, scope_of(host, app));
    DAVIT_TRY_ASSIGN(const auto found, store(host).lists().items({scope, view(group), view(key)}));
    for (const std::string& item : found) DAVIT_TRY(accepted(put(items, item)));
    return {};
  });
}

davit_status list_set(const davit_host* host, const davit_call* call, davit_str app, davit_str group,
                      davit_str key, davit_strs items) {
  return serve(call, [&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const AppId scope, scope_of(host, app));
    return store(host).lists().assign({scope, view(group), view(key)}, copy(items));
  });
}

/// Apps whose list of this name is not empty.
Result<> add_apps_with_list(Store& store, std::string_view group, std::string_view key,
                            std::vector<AppId>& scopes) {
  DAVIT_TRY_ASSIGN(const auto apps, store.apps().list());
  for (const App& app : apps) {
    DAVIT_TRY_ASSIGN(const auto items, store.lists().items({app.id, group, key}));
    if (!items.empty()) scopes.push_back(app.id);
  }
  return {};
}

/// Keys that the notes declare for the group: the store finds apps by key, not by group.
davit_status each_app_with(const davit_host* host, const davit_call* call, davit_str group,
                           const davit_str_sink* apps) {
  return serve(call, [&]() -> Result<> {
    std::vector<AppId> scopes;
    for (const auto& property : HostSide::of(host).core().catalog.properties()) {
      if (property.spec->group != view(group)) continue;
      DAVIT_TRY_ASSIGN(const auto found,
                       store(host).properties().everywhere(view(group), property.spec->key));
      for (const Property& one : found) scopes.push_back(one.scope);
      if (property.spec->type == SettingType::kStrings)
        DAVIT_TRY(add_apps_with_list(store(host), view(group), property.spec->key, scopes));
    }
    std::sort(scopes.begin(), scopes.end());
    scopes.erase(std::unique(scopes.begin(), scopes.end()), scopes.end());
    std::vector<std::string> names;
    for (const AppId scope : scopes) {
      if (scope == AppId::kGlobal) continue;
      DAVIT_TRY_ASSIGN(const App app, store(host).apps().get(scope));
      names.push_back(app.name);
    }
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) DAVIT_TRY(accepted(put(apps, name)));
    return {};
  });
}

constexpr std::uint64_t kMaxKvBytes = 1024 * 1024;

Result<> check_kv(davit_str value) {
  if (value.size <= kMaxKvBytes) return {};
  return fail(Code::kInvalid, fmt::format("The value has {} bytes; 1 MiB is the limit", value.size), {},
              "kv-value-too-large");
}

davit_status kv_get(const davit_host* host, const davit_call* call, davit_str scope, davit_str key,
                    const davit_sink* value) {
  return serve(call, [&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const AppId app, scope_of(host, scope));
    DAVIT_TRY_ASSIGN(const auto found,
                     store(host).plugin_kv().get(HostSide::of(host).entry().id, app, view(key)));
    if (!found)
      return fail(Code::kNotFound, fmt::format("There is no value for {}", clean_line(view(key))), {},
                  "kv-missing");
    return accepted(put(value, *found));
  });
}

davit_status kv_set(const davit_host* host, const davit_call* call, davit_str scope, davit_str key,
                    davit_str value) {
  return serve(call, [&]() -> Result<> {
    DAVIT_TRY(check_kv(value));
    DAVIT_TRY_ASSIGN(const AppId app, scope_of(host, scope));
    return store(host).plugin_kv().set(HostSide::of(host).entry().id, app, view(key), view(value));
  });
}

davit_status kv_erase(const davit_host* host, const davit_call* call, davit_str scope, davit_str key) {
  return serve(call, [&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const AppId app, scope_of(host, scope));
    DAVIT_TRY(store(host).plugin_kv().remove(HostSide::of(host).entry().id, app, view(key)));
    return {};
  });
}

davit_status kv_each(const davit_host* host, const davit_call* call, davit_str scope, davit_str prefix,
                     const davit_kv_sink* sink) {
  return serve(call, [&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const AppId app, scope_of(host, scope));
    DAVIT_TRY_ASSIGN(const auto found,
                     store(host).plugin_kv().list(HostSide::of(host).entry().id, app, view(prefix)));
    for (const auto& [key, value] : found) DAVIT_TRY(accepted(put(sink, key, value)));
    return {};
  });
}

davit_status kv_compare_and_set(const davit_host* host, const davit_call* call, davit_str scope,
                                davit_str key, const davit_str* expected, davit_str value) {
  return serve(call, [&]() -> Result<> {
    DAVIT_TRY(check_kv(value));
    DAVIT_TRY_ASSIGN(const AppId app, scope_of(host, scope));
    const auto present = expected == nullptr ? std::nullopt : std::optional(copy(*expected));
    DAVIT_TRY_ASSIGN(const bool was,
                     store(host).plugin_kv().compare_and_swap(HostSide::of(host).entry().id, app, view(key),
                                                              present, copy(value)));
    if (!was)
      return fail(Code::kConflict, fmt::format("The value of {} is another by now", clean_line(view(key))),
                  {}, "kv-changed");
    return {};
  });
}

davit_status ports_lease(const davit_host* host, const davit_call* call, davit_str owner,
                         davit_lease* lease) {
  return serve(call, [&]() -> Result<> {
    if (owner.size == 0 || lease == nullptr) return fail(Code::kInvalid, "A port is leased to a named owner");
    DAVIT_TRY_ASSIGN(const auto port,
                     lease_port(store(host).ports(), HostSide::of(host).core().catalog.host(),
                                HostSide::of(host).services().home, view(owner)));
    *lease = {port, port};
    return {};
  });
}

davit_status ports_release(const davit_host* host, const davit_call* call, davit_str owner) {
  return serve(call, [&]() -> Result<> {
    DAVIT_TRY(store(host).ports().release(view(owner)));
    return {};
  });
}

davit_status apps_each(const davit_host* host, const davit_call* call, const davit_str_sink* names) {
  return serve(call, [&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const auto found, store(host).apps().names());
    for (const std::string& name : found) DAVIT_TRY(accepted(put(names, name)));
    return {};
  });
}

davit_status apps_report(const davit_host* host, const davit_call* call, davit_str app,
                         const davit_kv_sink* sink) {
  return serve(call, [&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const App found, store(host).apps().get(view(app)));
    DAVIT_TRY_ASSIGN(const auto release, store(host).releases().current(found.id));
    std::string runtime;
    if (const auto& ask = HostSide::of(host).services().runtime_of_app) {
      DAVIT_TRY_ASSIGN(runtime, ask(view(app)));
    }
    if (runtime.empty()) runtime = HostSide::of(host).core().catalog.default_runtime();
    DAVIT_TRY(accepted(put(sink, "created-at", iso8601_utc(found.created_at_ms))));
    DAVIT_TRY(accepted(put(sink, "deployed", found.deployed ? "true" : "false")));
    DAVIT_TRY(accepted(put(sink, "locked", found.locked_at_ms ? "true" : "false")));
    DAVIT_TRY(accepted(put(sink, "release", release ? fmt::format("v{}", release->version) : "")));
    DAVIT_TRY(accepted(put(sink, "revision", release ? release->spec.revision : "")));
    return accepted(put(sink, "runtime", runtime));
  });
}

davit_status apps_each_domain(const davit_host* host, const davit_call* call, davit_str app,
                              const davit_str_sink* domains) {
  return serve(call, [&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const App found, store(host).apps().get(view(app)));
    DAVIT_TRY_ASSIGN(const auto list, store(host).domains().list(found.id));
    for (const std::string& domain : list) DAVIT_TRY(accepted(put(domains, domain)));
    return {};
  });
}

davit_status apps_each_process(const davit_host* host, const davit_call* call, davit_str app,
                               const davit_kv_sink* sink) {
  return serve(call, [&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const App found, store(host).apps().get(view(app)));
    DAVIT_TRY_ASSIGN(const auto release, store(host).releases().current(found.id));
    if (!release) return {};
    for (const ReleaseProcess& process : release->spec.processes)
      DAVIT_TRY(accepted(put(sink, process.type, process.command)));
    return {};
  });
}

davit_status apps_request_reroute(const davit_host* host, const davit_call* call, davit_str app) {
  return serve(call, [&]() -> Result<> {
    DAVIT_TRY(store(host).apps().get(view(app)));
    if (const auto& request = HostSide::of(host).services().request_reroute) request(view(app));
    return {};
  });
}

}  // namespace

const void* store_service(std::string_view interface_id) {
  static constexpr davit_host_properties kProperties{sizeof(davit_host_properties),
                                                     0,
                                                     property_get,
                                                     property_get_own,
                                                     property_set,
                                                     property_unset,
                                                     list_each,
                                                     list_set,
                                                     each_app_with};
  static constexpr davit_host_kv kKv{sizeof(davit_host_kv), 0, kv_get, kv_set, kv_erase, kv_each,
                                     kv_compare_and_set};
  static constexpr davit_host_ports kPorts{sizeof(davit_host_ports), 0, ports_lease, ports_release};
  static constexpr davit_host_apps kApps{
      sizeof(davit_host_apps), 0, apps_each, apps_report, apps_each_domain, apps_each_process,
      apps_request_reroute};
  if (interface_id == DAVIT_HOST_PROPERTIES_ID) return &kProperties;
  if (interface_id == DAVIT_HOST_KV_ID) return &kKv;
  if (interface_id == DAVIT_HOST_PORTS_ID) return &kPorts;
  if (interface_id == DAVIT_HOST_APPS_ID) return &kApps;
  return nullptr;
}

}  // namespace davit
