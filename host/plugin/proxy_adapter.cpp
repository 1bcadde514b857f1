// davit.proxy/1 as a Proxy.
#include <fmt/format.h>

#include "events/bus.hpp"
#include "plugin/adapters.hpp"

namespace davit {
namespace {

struct RouteStruct {
  AbiStrings hosts;
  AbiList<davit_endpoint> endpoints;
  davit_route route;
  explicit RouteStruct(const Route& in) : hosts(in.hosts), endpoints(in.endpoints), route{} {
    route.struct_size = sizeof route;
    route.flags = in.maintenance ? DAVIT_ROUTE_MAINTENANCE : 0;
    route.app = abi(in.app);
    route.revision = abi(in.revision);
    route.hosts = hosts.get();
    route.endpoints = endpoints.get();
    route.replaces = abi(in.replaces);
  }
};

}  // namespace

ProxyAdapter::ProxyAdapter(PluginInstance& instance, std::int64_t limit_ms)
    : table_(instance, DAVIT_PROXY_ID, offsetof(davit_proxy, describe) + sizeof(davit_proxy::describe)),
      limit_ms_(limit_ms) {}

Result<> ProxyAdapter::ensure(const CallContext& context) {
  return table_.call(
      "davit.proxy/1.ensure", limit_ms_, context,
      [](const davit_proxy& table, auto* plugin, auto* call) { return table.ensure(plugin, call); });
}

Result<std::string> ProxyAdapter::prepare(const Route& route, const CallContext& context) {
  const RouteStruct in(route);
  std::string token;
  const davit_sink sink = text_sink(token);
  DAVIT_TRY(table_.call("davit.proxy/1.prepare", limit_ms_, context,
                        [&](const davit_proxy& table, auto* plugin, auto* call) {
                          return table.prepare(plugin, call, &in.route, &sink);
                        }));
  if (token.size() > kMaxStepTokenBytes)
    return fail(Code::kInternal,
                fmt::format("plugin {} left a token of {} bytes; 64 KiB is the limit", id(), token.size()),
                {}, "token-too-large");
  return token;
}

Result<> ProxyAdapter::apply(const Route& route, std::string_view token, const CallContext& context) {
  const RouteStruct in(route);
  return table_.call("davit.proxy/1.apply", limit_ms_, context,
                     [&](const davit_proxy& table, auto* plugin, auto* call) {
                       return table.apply(plugin, call, &in.route, abi(token));
                     });
}

Result<> ProxyAdapter::undo(std::string_view app, std::string_view token, const CallContext& context) {
  return table_.call("davit.proxy/1.undo", limit_ms_, context,
                     [&](const davit_proxy& table, auto* plugin, auto* call) {
                       return table.undo(plugin, call, abi(app), abi(token));
                     });
}

Result<> ProxyAdapter::drain(const Route& route, std::uint64_t timeout_ms, const CallContext& context) {
  const RouteStruct in(route);
  return table_.call("davit.proxy/1.drain", 0, context,
                     [&](const davit_proxy& table, auto* plugin, auto* call) {
                       return table.drain(plugin, call, &in.route, timeout_ms);
                     });
}

Result<> ProxyAdapter::remove(std::string_view app, const CallContext& context) {
  return table_.call("davit.proxy/1.remove", limit_ms_, context,
                     [&](const davit_proxy& table, auto* plugin, auto* call) {
                       return table.remove(plugin, call, abi(app));
                     });
}

Result<std::vector<std::string>> ProxyAdapter::list_owned(const CallContext& context) {
  std::vector<std::string> apps;
  const davit_str_sink sink = items_sink(apps);
  DAVIT_TRY(table_.call("davit.proxy/1.list_owned", limit_ms_, context,
                        [&](const davit_proxy& table, auto* plugin, auto* call) {
                          return table.list_owned(plugin, call, &sink);
                        }));
  return apps;
}

Result<TextMap> ProxyAdapter::describe(const CallContext& context) {
  TextMap facts;
  const davit_kv_sink sink = pairs_sink(facts);
  DAVIT_TRY(table_.call("davit.proxy/1.describe", limit_ms_, context,
                        [&](const davit_proxy& table, auto* plugin, auto* call) {
                          return table.describe(plugin, call, &sink);
                        }));
  return facts;
}

}  // namespace davit
