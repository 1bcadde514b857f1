// The fixed list of events and their kinds.
#include "events/event.hpp"

#include <algorithm>

namespace davit {

const std::vector<EventType>& event_types() {
  using enum EventKind;
  // Kinds as in sdk/include/davit/hooks.h.
  static const std::vector<EventType> types = {
      {event_id::kAuthorize, kGate},        {event_id::kAppCreate, kStep},
      {event_id::kAppDestroy, kNotice},     {event_id::kAppCopy, kStep},
      {event_id::kConfigChange, kGate},     {event_id::kConfigChanged, kNotice},
      {event_id::kPropertyChange, kGate},   {event_id::kPropertyChanged, kNotice},
      {event_id::kEnvResolve, kFilter},     {event_id::kSourceReceive, kGate},
      {event_id::kSourcePrepare, kFilter},  {event_id::kBuildPlan, kFilter},
      {event_id::kBuildFinished, kNotice},  {event_id::kReleaseAssemble, kStep},
      {event_id::kReleaseCommand, kStep},   {event_id::kDeployBegin, kGate},
      {event_id::kProcessPlan, kFilter},    {event_id::kProcessStart, kStep},
      {event_id::kProcessCheck, kGate},     {event_id::kRoutePlan, kFilter},
      {event_id::kRouteValidate, kGate},    {event_id::kRouteSwitch, kStep},
      {event_id::kProcessDrain, kNotice},   {event_id::kProcessStop, kNotice},
      {event_id::kDeployFinished, kNotice}, {event_id::kServiceChange, kStep},
      {event_id::kSystemStart, kStep},      {event_id::kSystemCollect, kFilter},
  };
  return types;
}

EventKind kind_of(std::string_view event_id) {
  const auto& types = event_types();
  const auto type = std::find_if(types.begin(), types.end(),
                                 [&](const EventType& candidate) { return candidate.id == event_id; });
  return type == types.end() ? EventKind::kNotice : type->kind;
}

}  // namespace davit
