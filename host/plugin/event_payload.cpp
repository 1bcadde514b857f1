// Typed events as the structs of hooks.h.
#include "plugin/event_payload.hpp"

namespace davit {

EventStruct::EventStruct(const Event& event, EventKind kind)
    : event_{sizeof(davit_event), static_cast<std::uint32_t>(kind), abi(event.id), nullptr, {nullptr, 0}} {
  std::visit([this](auto payload) { fill(payload); }, event.payload);
  if (event.facts.empty()) return;
  // The facts come last: the payload's own pairs stand before them and must not move any more.
  const std::size_t own = pairs_.size();
  pairs_.reserve(own + event.facts.size());
  for (const auto& [key, value] : event.facts) pairs_.push_back({abi(key), abi(value)});
  event_.facts = {pairs_.data() + own, event.facts.size()};
  if (own > 0) payload_.config.set = {pairs_.data(), own};
}

void EventStruct::fill(AuthEvent* in) {
  payload_.auth = {sizeof(davit_ev_auth), 0, abi(in->actor), abi(in->command), abi(in->app)};
  event_.payload = &payload_.auth;
}

void EventStruct::fill(AppEvent* in) {
  payload_.app = {sizeof(davit_ev_app), 0, abi(in->app), abi(in->source_app), in->is_rename ? 1U : 0U, 0};
  event_.payload = &payload_.app;
}

void EventStruct::fill(ConfigEvent* in) {
  for (const auto& [key, value] : in->set) pairs_.push_back({abi(key), abi(value.reveal())});
  for (const std::string& key : in->unset) texts_.push_back(abi(key));
  payload_.config = {sizeof(davit_ev_config),
                     in->is_global ? 1U : 0U,
                     abi(in->app),
                     {pairs_.data(), pairs_.size()},
                     {texts_.data(), texts_.size()}};
  event_.payload = &payload_.config;
}

void EventStruct::fill(PropertyEvent* in) {
  payload_.property = {sizeof(davit_ev_property),
                       in->is_set ? 1U : 0U,
                       abi(in->app),
                       abi(in->group),
                       abi(in->key),
                       abi(in->value)};
  event_.payload = &payload_.property;
}

void EventStruct::fill(EnvEvent* in) {
  payload_.env = {sizeof(davit_ev_env),
                  0,
                  abi(in->app),
                  abi(in->phase),
                  abi(in->process_type),
                  editable(in->env),
                  in->masked == nullptr ? davit_map{} : editable(*in->masked)};
  event_.payload = &payload_.env;
}

void EventStruct::fill(SourceEvent* in) {
  payload_.source = {sizeof(davit_ev_source), 0, abi(in->app), abi(in->dir), abi(in->revision), abi(in->ref)};
  event_.payload = &payload_.source;
}

void EventStruct::fill(BuildEvent* in) {
  payload_.build = {sizeof(davit_ev_build), in->status,       abi(in->app),
                    abi(in->dir),           abi(in->builder), editable(in->options)};
  event_.payload = &payload_.build;
}

void EventStruct::fill(ReleaseEvent* in) {
  artifact_ = abi(in->artifact);
  payload_.release = {sizeof(davit_ev_release), in->version, abi(in->app), &artifact_, abi(in->description)};
  event_.payload = &payload_.release;
}

void EventStruct::fill(DeployEvent* in) {
  payload_.deploy = {sizeof(davit_ev_deploy), in->status,       abi(in->app), abi(in->kind),
                     abi(in->state),          abi(in->message), in->version,  0};
  event_.payload = &payload_.deploy;
}

void EventStruct::fill(ProcessEvent* in) {
  payload_.process = {sizeof(davit_ev_process), in->count,         abi(in->app), abi(in->revision),
                      abi(in->process_type),    editable(in->plan)};
  event_.payload = &payload_.process;
}

void EventStruct::fill(RouteEvent* in) {
  for (const std::string& host : in->hosts) texts_.push_back(abi(host));
  for (const Endpoint& endpoint : in->endpoints) endpoints_.push_back(abi(endpoint));
  payload_.route = {sizeof(davit_ev_route),
                    0,
                    abi(in->app),
                    abi(in->revision),
                    {texts_.data(), texts_.size()},
                    {endpoints_.data(), endpoints_.size(), sizeof(davit_endpoint)},
                    editable(in->plan)};
  event_.payload = &payload_.route;
}

void EventStruct::fill(ServiceEvent* in) {
  payload_.service = {sizeof(davit_ev_service), 0,           abi(in->kind), abi(in->service),
                      abi(in->change),          abi(in->app)};
  event_.payload = &payload_.service;
}

void EventStruct::fill(CollectEvent* in) {
  payload_.collect = {sizeof(davit_ev_collect), in->dry_run ? 1U : 0U, editable(in->needed),
                      editable(in->garbage), in->listed_unix_ms};
  event_.payload = &payload_.collect;
}

}  // namespace davit
