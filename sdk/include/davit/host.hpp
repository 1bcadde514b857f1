/* The host as a plugin's instance sees it. `host().kv(call).set(app, "key", "value")`.
 *
 * A table is asked for on its first use; one that this davit does not have is a Failure that names it. What a
 * plugin cannot do without belongs in `requires` of its note (then it is never missing), the rest in `uses`.
 */
#ifndef DAVIT_HOST_HPP
#define DAVIT_HOST_HPP

#include <array>
#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "davit/host_run.hpp"
#include "davit/host_state.hpp"
#include "davit/host_units.hpp"

namespace davit::sdk {

class Apps : public detail::HostTable<davit_host_apps> {
 public:
  using HostTable::HostTable;
  Strings names() const { return strings(&davit_host_apps::each); }
  Pairs report(std::string_view app) const { return pairs(&davit_host_apps::report, str(app)); }
  Strings domains(std::string_view app) const { return strings(&davit_host_apps::each_domain, str(app)); }
  Pairs processes(std::string_view app) const { return pairs(&davit_host_apps::each_process, str(app)); }
  void request_reroute(std::string_view app) const { must(&davit_host_apps::request_reroute, str(app)); }
};

class Events : public detail::HostTable<davit_host_events> {
 public:
  using HostTable::HostTable;
  /* `id` is "PLUGIN.WORD", PLUGIN the publisher's own id. */
  void publish(std::string_view id, const Pairs& facts) const {
    const KvArray array(facts);
    must(&davit_host_events::publish, str(id), array.get());
  }
};

class Registry : public detail::HostTable<davit_host_registry> {
 public:
  using HostTable::HostTable;
  Pairs plugins() const { return pairs(&davit_host_registry::each); } /* id, version */
  Strings providers(std::string_view interface_id) const {
    return strings(&davit_host_registry::each_provider, str(interface_id));
  }
};

class Host {
 public:
  explicit Host(const davit_host* raw) noexcept : raw_(raw) {}
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  const davit_host* raw() const noexcept { return raw_; }
  std::string_view version() const { return view(DAVIT_SDK_READ(raw_, davit_host, version)); }
  /* A table of any id, or NULL: for drafts and for what one of `uses` may lack. */
  const void* find(std::string_view id) const { return raw_->get_interface(raw_, str(id)); }

  /* [call] */
  Settings settings(const Call& call) const {
    return make<Settings>(kSettings, DAVIT_HOST_SETTINGS_ID, call);
  }
  Properties properties(const Call& call) const {
    return make<Properties>(kProperties, DAVIT_HOST_PROPERTIES_ID, call);
  }
  Kv kv(const Call& call) const { return make<Kv>(kKv, DAVIT_HOST_KV_ID, call); }
  Paths paths(const Call& call) const { return make<Paths>(kPaths, DAVIT_HOST_PATHS_ID, call); }
  Processes processes(const Call& call) const {
    return make<Processes>(kProcess, DAVIT_HOST_PROCESS_ID, call);
  }
  Tasks tasks(const Call& call) const { return make<Tasks>(kTask, DAVIT_HOST_TASK_ID, call); }
  Supervise supervise(const Call& call) const {
    return make<Supervise>(kSupervise, DAVIT_HOST_SUPERVISE_ID, call);
  }
  Ports ports(const Call& call) const { return make<Ports>(kPorts, DAVIT_HOST_PORTS_ID, call); }
  Secrets secrets(const Call& call) const { return make<Secrets>(kSecrets, DAVIT_HOST_SECRETS_ID, call); }
  Apps apps(const Call& call) const { return make<Apps>(kApps, DAVIT_HOST_APPS_ID, call); }
  Events events(const Call& call) const { return make<Events>(kEvents, DAVIT_HOST_EVENTS_ID, call); }
  Registry registry(const Call& call) const {
    return make<Registry>(kRegistry, DAVIT_HOST_REGISTRY_ID, call);
  }

  /* [any] */
  int64_t now_unix_ms() const {
    return detail::table_function(clock(), &davit_host_clock::now_unix_ms, DAVIT_HOST_CLOCK_ID)(raw_);
  }
  int64_t now_mono_ms() const {
    return detail::table_function(clock(), &davit_host_clock::now_mono_ms, DAVIT_HOST_CLOCK_ID)(raw_);
  }
  /* For threads that have no call. [any] */
  void log(int32_t level, std::string_view text) const {
    const auto* table = static_cast<const davit_host_log*>(require(kLog, DAVIT_HOST_LOG_ID));
    detail::table_function(table, &davit_host_log::log, DAVIT_HOST_LOG_ID)(raw_, level, str(text));
  }

 private:
  enum Slot {
    kLog,
    kSettings,
    kProperties,
    kKv,
    kClock,
    kPaths,
    kProcess,
    kTask,
    kSupervise,
    kPorts,
    kSecrets,
    kApps,
    kEvents,
    kRegistry,
    kSlots
  };

  const void* require(Slot slot, const char* id) const {
    const void* table = tables_[slot].load(std::memory_order_acquire);
    if (table != nullptr) return table;
    table = find(id);
    if (table == nullptr) {
      throw Failure(
          DAVIT_UNSUPPORTED, "interface-missing", std::string("this davit does not offer ") + id,
          std::string("upgrade davit, or list ") + id + " under `requires` or `uses` of the plugin's note");
    }
    tables_[slot].store(table, std::memory_order_release);
    return table;
  }
  const davit_host_clock* clock() const {
    return static_cast<const davit_host_clock*>(require(kClock, DAVIT_HOST_CLOCK_ID));
  }
  template <class Accessor>
  Accessor make(Slot slot, const char* id, const Call& call) const {
    return detail::make_accessor<Accessor>(raw_, require(slot, id), call.raw(), id);
  }

  const davit_host* raw_;
  mutable std::array<std::atomic<const void*>, kSlots> tables_{};
};

}  // namespace davit::sdk
#endif
