/* davit.proxy/1 in C++: derive from Proxy beside Plugin. The contract of each function is in davit/proxy.h.
 */
#ifndef DAVIT_PROXY_HPP
#define DAVIT_PROXY_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "davit/call.hpp"
#include "davit/proxy.h"
#include "davit/values.hpp"

namespace davit::sdk {

struct Route {
  uint32_t flags = 0; /* DAVIT_ROUTE_* */
  std::string app;
  std::string revision;
  Strings hosts;
  std::vector<Endpoint> endpoints;
  std::string replaces; /* the app whose routes go away with this one, or "" */
};

inline Route copy(const davit_route& raw) {
  Route out;
  out.flags = DAVIT_SDK_READ(&raw, davit_route, flags);
  out.app = copy(DAVIT_SDK_READ(&raw, davit_route, app));
  out.revision = copy(DAVIT_SDK_READ(&raw, davit_route, revision));
  out.hosts = copy(DAVIT_SDK_READ(&raw, davit_route, hosts));
  out.endpoints = copy_list<Endpoint, davit_endpoint>(DAVIT_SDK_READ(&raw, davit_route, endpoints));
  out.replaces = copy(DAVIT_SDK_READ(&raw, davit_route, replaces));
  return out;
}

class Proxy {
 public:
  virtual ~Proxy() = default;
  virtual void ensure(const Call& call) = 0;
  /* Returns the token, any bytes, at most 64 KiB. */
  virtual std::string prepare(const Call& call, const Route& route) = 0;
  virtual void apply(const Call& call, const Route& route, std::string_view token) = 0;
  virtual void undo(const Call& call, std::string_view app, std::string_view token) = 0;
  /* False: timeout_ms passed while requests were in flight. */
  virtual bool drain(const Call& call, const Route& route, uint64_t timeout_ms) = 0;
  virtual void remove(const Call& call, std::string_view app) = 0;
  virtual Strings list_owned(const Call& call) = 0;
  virtual Pairs describe(const Call& call) = 0;
};

namespace detail {

template <class P>
struct ProxyTable {
  static Proxy& self(davit_plugin* plugin) noexcept { return *reinterpret_cast<P*>(plugin); }

  static davit_status ensure(davit_plugin* plugin, const davit_call* call) noexcept {
    return guard(call, [&] { self(plugin).ensure(Call(call)); });
  }
  static davit_status prepare(davit_plugin* plugin, const davit_call* call, const davit_route* route,
                              const davit_sink* token) noexcept {
    return guard(call, [&] { write_all(token, self(plugin).prepare(Call(call), copy(*route))); });
  }
  static davit_status apply(davit_plugin* plugin, const davit_call* call, const davit_route* route,
                            davit_str token) noexcept {
    return guard(call, [&] { self(plugin).apply(Call(call), copy(*route), view(token)); });
  }
  static davit_status undo(davit_plugin* plugin, const davit_call* call, davit_str app,
                           davit_str token) noexcept {
    return guard(call, [&] { self(plugin).undo(Call(call), view(app), view(token)); });
  }
  static davit_status drain(davit_plugin* plugin, const davit_call* call, const davit_route* route,
                            uint64_t timeout_ms) noexcept {
    return guard(call, [&] {
      if (!self(plugin).drain(Call(call), copy(*route), timeout_ms)) {
        throw Failure(DAVIT_TIMEOUT, "still-in-flight",
                      "requests were still in flight when the drain limit passed");
      }
    });
  }
  static davit_status remove(davit_plugin* plugin, const davit_call* call, davit_str app) noexcept {
    return guard(call, [&] { self(plugin).remove(Call(call), view(app)); });
  }
  static davit_status list_owned(davit_plugin* plugin, const davit_call* call,
                                 const davit_str_sink* sink) noexcept {
    return guard(call, [&] { put_all(sink, self(plugin).list_owned(Call(call))); });
  }
  static davit_status describe(davit_plugin* plugin, const davit_call* call,
                               const davit_kv_sink* sink) noexcept {
    return guard(call, [&] { put_all(sink, self(plugin).describe(Call(call))); });
  }
  static const void* get() noexcept {
    static constexpr davit_proxy table{
        sizeof(davit_proxy), 0, &ensure, &prepare, &apply, &undo, &drain, &remove, &list_owned, &describe};
    return &table;
  }
};

}  // namespace detail
}  // namespace davit::sdk
#endif
