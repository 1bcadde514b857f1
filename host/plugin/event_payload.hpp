// EventStruct: an Event of the host as the davit_event that plugins see. Everything is borrowed from the
// event but the arrays; small ones live in place, so that the common hook allocates nothing.
#pragma once

#include <davit/hooks.h>

#include <optional>
#include <vector>

#include "events/event.hpp"
#include "plugin/abi_values.hpp"

namespace davit {

class EventStruct {
 public:
  EventStruct(const Event& event, EventKind kind);
  EventStruct(const EventStruct&) = delete;
  EventStruct& operator=(const EventStruct&) = delete;
  [[nodiscard]] const davit_event* get() const { return &event_; }

 private:
  void fill(std::monostate) {}
  void fill(AuthEvent* in);
  void fill(AppEvent* in);
  void fill(ConfigEvent* in);
  void fill(PropertyEvent* in);
  void fill(EnvEvent* in);
  void fill(SourceEvent* in);
  void fill(BuildEvent* in);
  void fill(ReleaseEvent* in);
  void fill(DeployEvent* in);
  void fill(ProcessEvent* in);
  void fill(RouteEvent* in);
  void fill(ServiceEvent* in);
  void fill(CollectEvent* in);

  davit_event event_;
  union {
    davit_ev_auth auth;
    davit_ev_app app;
    davit_ev_config config;
    davit_ev_property property;
    davit_ev_env env;
    davit_ev_source source;
    davit_ev_build build;
    davit_ev_release release;
    davit_ev_deploy deploy;
    davit_ev_process process;
    davit_ev_route route;
    davit_ev_service service;
    davit_ev_collect collect;
  } payload_;
  davit_artifact artifact_;
  std::vector<davit_kv> pairs_;  // facts; config's values behind them
  std::vector<davit_str> texts_;
  std::vector<davit_endpoint> endpoints_;
};

}  // namespace davit
