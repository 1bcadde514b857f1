/* Ids of lifecycle events as an enum, for switch. The enum is C++ only: what crosses the boundary is the
 * text. */
#ifndef DAVIT_EVENT_IDS_HPP
#define DAVIT_EVENT_IDS_HPP

#include <cstddef>
#include <iterator>
#include <string_view>

#include "davit/hooks.h"

namespace davit::sdk {

enum class EventId {
  kUnknown, /* newer than this SDK, or another plugin's notice: look at id() */
  kAuthorize,
  kAppCreate,
  kAppDestroy,
  kAppCopy,
  kConfigChange,
  kConfigChanged,
  kPropertyChange,
  kPropertyChanged,
  kEnvResolve,
  kSourceReceive,
  kSourcePrepare,
  kBuildPlan,
  kBuildFinished,
  kReleaseAssemble,
  kReleaseCommand,
  kDeployBegin,
  kProcessPlan,
  kProcessStart,
  kProcessCheck,
  kRoutePlan,
  kRouteValidate,
  kRouteSwitch,
  kProcessDrain,
  kProcessStop,
  kDeployFinished,
  kServiceChange,
  kSystemStart,
  kSystemCollect,
};

inline EventId event_id(std::string_view id) noexcept {
  constexpr std::string_view names[] = {{},
                                        DAVIT_EV_AUTHORIZE,
                                        DAVIT_EV_APP_CREATE,
                                        DAVIT_EV_APP_DESTROY,
                                        DAVIT_EV_APP_COPY,
                                        DAVIT_EV_CONFIG_CHANGE,
                                        DAVIT_EV_CONFIG_CHANGED,
                                        DAVIT_EV_PROPERTY_CHANGE,
                                        DAVIT_EV_PROPERTY_CHANGED,
                                        DAVIT_EV_ENV_RESOLVE,
                                        DAVIT_EV_SOURCE_RECEIVE,
                                        DAVIT_EV_SOURCE_PREPARE,
                                        DAVIT_EV_BUILD_PLAN,
                                        DAVIT_EV_BUILD_FINISHED,
                                        DAVIT_EV_RELEASE_ASSEMBLE,
                                        DAVIT_EV_RELEASE_COMMAND,
                                        DAVIT_EV_DEPLOY_BEGIN,
                                        DAVIT_EV_PROCESS_PLAN,
                                        DAVIT_EV_PROCESS_START,
                                        DAVIT_EV_PROCESS_CHECK,
                                        DAVIT_EV_ROUTE_PLAN,
                                        DAVIT_EV_ROUTE_VALIDATE,
                                        DAVIT_EV_ROUTE_SWITCH,
                                        DAVIT_EV_PROCESS_DRAIN,
                                        DAVIT_EV_PROCESS_STOP,
                                        DAVIT_EV_DEPLOY_FINISHED,
                                        DAVIT_EV_SERVICE_CHANGE,
                                        DAVIT_EV_SYSTEM_START,
                                        DAVIT_EV_SYSTEM_COLLECT};
  static_assert(std::size(names) == static_cast<std::size_t>(EventId::kSystemCollect) + 1,
                "one name an EventId");
  for (std::size_t i = 1; i < std::size(names); ++i) {
    if (names[i] == id) return static_cast<EventId>(i);
  }
  return EventId::kUnknown;
}

}  // namespace davit::sdk
#endif
