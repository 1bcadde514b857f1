/* The C++ wrapper of davit's SDK: include this one. Header-only, C++17, no library to link.
 *
 *   class Hello : public davit::sdk::Plugin, public davit::sdk::Commands {
 *     int32_t run_command(const davit::sdk::Call& call, const davit::sdk::Command& command) override {
 *       call.result_line("hello, " + command.arg(0));
 *       return 0;
 *     }
 *   };
 *   DAVIT_PLUGIN(Hello, DAVIT_PLUGIN_ID, DAVIT_PLUGIN_VERSION, 0)
 *
 * A plugin derives from Plugin and from the interfaces that it provides (Builder, Runtime, Proxy,
 * ServiceKind, Hooks, Commands, Doctor); get_interface follows from the bases. To fail, throw Failure; any
 * other exception is DAVIT_INTERNAL. Exceptions never reach the host. davit_add_plugin() defines
 * DAVIT_PLUGIN_ID and DAVIT_PLUGIN_VERSION from plugin.toml, so that the note and the descriptor agree.
 */
#ifndef DAVIT_PLUGIN_HPP
#define DAVIT_PLUGIN_HPP

#include <memory>
#include <string_view>
#include <type_traits>

#include "davit/builder.hpp"
#include "davit/call.hpp"
#include "davit/commands.hpp"
#include "davit/hooks.hpp"
#include "davit/host.hpp"
#include "davit/plugin.h"
#include "davit/proxy.hpp"
#include "davit/runtime.hpp"
#include "davit/service.hpp"

namespace davit::sdk {

/* Base of every plugin. The constructor must take no arguments and do nothing but initialise: host() is there
 * from on_start() on. Calls are serialised unless the flags say DAVIT_PLUGIN_THREADSAFE. */
class Plugin {
 public:
  Plugin() = default;
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;
  virtual ~Plugin() = default;

  /* Reads settings, opens what is needed. Throwing refuses to start; on_stop() is then not called. */
  virtual void on_start(const Call& call) { (void)call; }
  /* Afterwards: no host call, no thread left. */
  virtual void on_stop(const Call& call) { (void)call; }
  /* A C table of the plugin's own for an id that this SDK does not know, or NULL. */
  virtual const void* find_interface(std::string_view id) noexcept {
    (void)id;
    return nullptr;
  }

  const Host& host() const noexcept { return *host_; }
  void attach(const davit_host* host) { host_ = std::make_unique<Host>(host); } /* the SDK's own use */

 private:
  std::unique_ptr<Host> host_;
};

namespace detail {

template <class P>
struct Entry {
  static_assert(std::is_base_of_v<Plugin, P>, "a plugin derives publicly from davit::sdk::Plugin");

  static P* self(davit_plugin* plugin) noexcept { return reinterpret_cast<P*>(plugin); }

  static davit_status create(const davit_host* host, const davit_call* call, davit_plugin** plugin) noexcept {
    *plugin = nullptr;
    return guard(call, [&] {
      auto made = std::make_unique<P>();
      made->attach(host);
      *plugin = reinterpret_cast<davit_plugin*>(made.release());
    });
  }
  static davit_status start(davit_plugin* plugin, const davit_call* call) noexcept {
    return guard(call, [&] { static_cast<Plugin*>(self(plugin))->on_start(Call(call)); });
  }
  static void stop(davit_plugin* plugin, const davit_call* call) noexcept {
    (void)guard(call, [&] { static_cast<Plugin*>(self(plugin))->on_stop(Call(call)); });
  }
  static void destroy(davit_plugin* plugin) noexcept { delete self(plugin); }

  static const void* get_interface(davit_plugin* plugin, davit_str raw_id) noexcept {
    const std::string_view id = view(raw_id);
    if constexpr (std::is_base_of_v<Builder, P>) {
      if (id == DAVIT_BUILDER_ID) return BuilderTable<P>::get();
    }
    if constexpr (std::is_base_of_v<Runtime, P>) {
      if (id == DAVIT_RUNTIME_ID) return RuntimeTable<P>::get();
    }
    if constexpr (std::is_base_of_v<Proxy, P>) {
      if (id == DAVIT_PROXY_ID) return ProxyTable<P>::get();
    }
    if constexpr (std::is_base_of_v<ServiceKind, P>) {
      if (id == DAVIT_SERVICE_ID) return ServiceTable<P>::get();
    }
    if constexpr (std::is_base_of_v<Hooks, P>) {
      if (id == DAVIT_HOOKS_ID) return HooksTable<P>::get();
    }
    if constexpr (std::is_base_of_v<Commands, P>) {
      if (id == DAVIT_COMMANDS_ID) return CommandsTable<P>::get();
    }
    if constexpr (std::is_base_of_v<Doctor, P>) {
      if (id == DAVIT_DOCTOR_ID) return DoctorTable<P>::get();
    }
    return static_cast<Plugin*>(self(plugin))->find_interface(id);
  }
};

constexpr davit_str literal(std::string_view text) noexcept {
  return davit_str{text.data(), text.size()};
}

}  // namespace detail
}  // namespace davit::sdk

/* Once in a plugin, at namespace scope outside any namespace. `flags` are DAVIT_PLUGIN_*. */
#define DAVIT_PLUGIN(Class, id, version, flags)                                                              \
  extern "C" DAVIT_EXPORT const davit_plugin_descriptor* davit_plugin_v1(void) {                             \
    static constexpr davit_plugin_descriptor descriptor{sizeof(davit_plugin_descriptor),                     \
                                                        DAVIT_ABI_MAJOR,                                     \
                                                        DAVIT_ABI_MINOR,                                     \
                                                        (flags),                                             \
                                                        ::davit::sdk::detail::literal(id),                   \
                                                        ::davit::sdk::detail::literal(version),              \
                                                        &::davit::sdk::detail::Entry<Class>::create,         \
                                                        &::davit::sdk::detail::Entry<Class>::start,          \
                                                        &::davit::sdk::detail::Entry<Class>::stop,           \
                                                        &::davit::sdk::detail::Entry<Class>::destroy,        \
                                                        &::davit::sdk::detail::Entry<Class>::get_interface}; \
    return &descriptor;                                                                                      \
  }                                                                                                          \
  static_assert(true, "take a semicolon")
#endif
