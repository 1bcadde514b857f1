/* Lifecycle events with typed payloads: `switch (event.which())`, then the accessor that belongs to the case.
 * An accessor for another event's payload is a Failure (DAVIT_INTERNAL), never a wild read. All views borrow.
 */
#ifndef DAVIT_EVENTS_HPP
#define DAVIT_EVENTS_HPP

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "davit/event_ids.hpp"
#include "davit/failure.hpp"
#include "davit/payloads.hpp"

namespace davit::sdk {

class Event {
 public:
  Event(const davit_event* raw, const davit_call* call) noexcept : raw_(raw), call_(call) {}
  const davit_event* raw() const noexcept { return raw_; }
  std::string_view id() const { return view(raw_->id); }
  EventId which() const { return event_id(id()); }
  uint32_t kind() const { return raw_->kind; } /* DAVIT_EVENT_* */
  Pairs facts() const { return copy(DAVIT_SDK_READ(raw_, davit_event, facts)); }
  /* The value, or "". */
  std::string_view fact(std::string_view key) const {
    const davit_kvs all = DAVIT_SDK_READ(raw_, davit_event, facts);
    for (uint64_t i = 0; i < all.size; ++i) {
      if (view(all.data[i].key) == key) return view(all.data[i].value);
    }
    return {};
  }

  AuthEvent auth() const {
    const auto* p = payload<davit_ev_auth>({EventId::kAuthorize});
    return AuthEvent{view(DAVIT_SDK_READ(p, davit_ev_auth, actor)),
                     view(DAVIT_SDK_READ(p, davit_ev_auth, command)),
                     view(DAVIT_SDK_READ(p, davit_ev_auth, app))};
  }
  AppEvent app() const {
    const auto* p = payload<davit_ev_app>({EventId::kAppCreate, EventId::kAppDestroy, EventId::kAppCopy});
    return AppEvent{view(DAVIT_SDK_READ(p, davit_ev_app, app)),
                    view(DAVIT_SDK_READ(p, davit_ev_app, source_app)),
                    DAVIT_SDK_READ(p, davit_ev_app, is_rename) != 0};
  }
  ConfigEvent config() const {
    const auto* p = payload<davit_ev_config>({EventId::kConfigChange, EventId::kConfigChanged});
    return ConfigEvent{
        view(DAVIT_SDK_READ(p, davit_ev_config, app)), DAVIT_SDK_READ(p, davit_ev_config, is_global) != 0,
        copy(DAVIT_SDK_READ(p, davit_ev_config, set)), copy(DAVIT_SDK_READ(p, davit_ev_config, unset))};
  }
  PropertyEvent property() const {
    const auto* p = payload<davit_ev_property>({EventId::kPropertyChange, EventId::kPropertyChanged});
    return PropertyEvent{
        view(DAVIT_SDK_READ(p, davit_ev_property, app)), view(DAVIT_SDK_READ(p, davit_ev_property, group)),
        view(DAVIT_SDK_READ(p, davit_ev_property, key)), DAVIT_SDK_READ(p, davit_ev_property, is_set) != 0,
        view(DAVIT_SDK_READ(p, davit_ev_property, value))};
  }
  EnvEvent env() const {
    const auto* p = payload<davit_ev_env>({EventId::kEnvResolve});
    return EnvEvent{view(DAVIT_SDK_READ(p, davit_ev_env, app)), view(DAVIT_SDK_READ(p, davit_ev_env, phase)),
                    view(DAVIT_SDK_READ(p, davit_ev_env, process_type)),
                    Map(DAVIT_SDK_READ(p, davit_ev_env, env), call_),
                    Map(DAVIT_SDK_READ(p, davit_ev_env, masked), call_)};
  }
  SourceEvent source() const {
    const auto* p = payload<davit_ev_source>({EventId::kSourceReceive, EventId::kSourcePrepare});
    return SourceEvent{
        view(DAVIT_SDK_READ(p, davit_ev_source, app)), view(DAVIT_SDK_READ(p, davit_ev_source, dir)),
        view(DAVIT_SDK_READ(p, davit_ev_source, revision)), view(DAVIT_SDK_READ(p, davit_ev_source, ref))};
  }
  BuildEvent build() const {
    const auto* p = payload<davit_ev_build>({EventId::kBuildPlan, EventId::kBuildFinished});
    return BuildEvent{DAVIT_SDK_READ(p, davit_ev_build, status), view(DAVIT_SDK_READ(p, davit_ev_build, app)),
                      view(DAVIT_SDK_READ(p, davit_ev_build, dir)),
                      view(DAVIT_SDK_READ(p, davit_ev_build, builder)),
                      Map(DAVIT_SDK_READ(p, davit_ev_build, options), call_)};
  }
  ReleaseEvent release() const {
    const auto* p = payload<davit_ev_release>({EventId::kReleaseAssemble, EventId::kReleaseCommand});
    return ReleaseEvent{
        DAVIT_SDK_READ(p, davit_ev_release, version), view(DAVIT_SDK_READ(p, davit_ev_release, app)),
        copy_optional<Artifact>(DAVIT_SDK_READ(p, davit_ev_release, artifact)).value_or(Artifact()),
        view(DAVIT_SDK_READ(p, davit_ev_release, description))};
  }
  DeployEvent deploy() const {
    const auto* p = payload<davit_ev_deploy>({EventId::kDeployBegin, EventId::kDeployFinished});
    return DeployEvent{
        DAVIT_SDK_READ(p, davit_ev_deploy, status),        view(DAVIT_SDK_READ(p, davit_ev_deploy, app)),
        view(DAVIT_SDK_READ(p, davit_ev_deploy, kind)),    view(DAVIT_SDK_READ(p, davit_ev_deploy, state)),
        view(DAVIT_SDK_READ(p, davit_ev_deploy, message)), DAVIT_SDK_READ(p, davit_ev_deploy, version)};
  }
  ProcessEvent process() const {
    const auto* p =
        payload<davit_ev_process>({EventId::kProcessPlan, EventId::kProcessStart, EventId::kProcessCheck,
                                   EventId::kProcessDrain, EventId::kProcessStop});
    return ProcessEvent{DAVIT_SDK_READ(p, davit_ev_process, count),
                        view(DAVIT_SDK_READ(p, davit_ev_process, app)),
                        view(DAVIT_SDK_READ(p, davit_ev_process, revision)),
                        view(DAVIT_SDK_READ(p, davit_ev_process, process_type)),
                        Map(DAVIT_SDK_READ(p, davit_ev_process, plan), call_)};
  }
  RouteEvent route() const {
    const auto* p =
        payload<davit_ev_route>({EventId::kRoutePlan, EventId::kRouteValidate, EventId::kRouteSwitch});
    return RouteEvent{view(DAVIT_SDK_READ(p, davit_ev_route, app)),
                      view(DAVIT_SDK_READ(p, davit_ev_route, revision)),
                      copy(DAVIT_SDK_READ(p, davit_ev_route, hosts)),
                      copy_list<Endpoint, davit_endpoint>(DAVIT_SDK_READ(p, davit_ev_route, endpoints)),
                      Map(DAVIT_SDK_READ(p, davit_ev_route, plan), call_)};
  }
  ServiceEvent service() const {
    const auto* p = payload<davit_ev_service>({EventId::kServiceChange});
    return ServiceEvent{
        view(DAVIT_SDK_READ(p, davit_ev_service, kind)), view(DAVIT_SDK_READ(p, davit_ev_service, service)),
        view(DAVIT_SDK_READ(p, davit_ev_service, change)), view(DAVIT_SDK_READ(p, davit_ev_service, app))};
  }
  CollectEvent collect() const {
    const auto* p = payload<davit_ev_collect>({EventId::kSystemCollect});
    return CollectEvent{DAVIT_SDK_READ(p, davit_ev_collect, dry_run) != 0,
                        Map(DAVIT_SDK_READ(p, davit_ev_collect, needed), call_),
                        Map(DAVIT_SDK_READ(p, davit_ev_collect, garbage), call_),
                        DAVIT_SDK_READ(p, davit_ev_collect, listed_unix_ms)};
  }

 private:
  template <class T>
  const T* payload(std::initializer_list<EventId> owners) const {
    const EventId mine = which();
    for (const EventId owner : owners) {
      if (owner == mine && raw_->payload != nullptr) return static_cast<const T*>(raw_->payload);
    }
    throw Failure(DAVIT_INTERNAL, "wrong-payload",
                  "the plugin asked event " + std::string(id()) + " for another one's payload",
                  "this is a mistake in the plugin: report it to its authors");
  }

  const davit_event* raw_;
  const davit_call* call_;
};

}  // namespace davit::sdk
#endif
