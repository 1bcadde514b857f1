// The lifecycle events, typed. An event has a kind that says what a handler may do with it; see design page
// abi.md, rule 12. Which plugin listens is not known here: host/plugin makes Hooks from notes and subscribes
// them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/model.hpp"
#include "base/secret.hpp"

namespace davit {

enum class EventKind : std::uint8_t {
  kGate = 1,    ///< may veto with a reason
  kFilter = 2,  ///< edits a value
  kStep = 3,    ///< prepare, apply, undo with a token
  kNotice = 4,  ///< after the fact; a failure is logged and changes nothing
};

// Payloads. References point to what the publisher owns for the time of the call; filters edit through them.
struct AuthEvent {
  std::string actor, command, app;
};
struct AppEvent {
  std::string app, source_app;
  bool is_rename = false;
};
struct ConfigEvent {
  std::string app;
  bool is_global = false;
  std::vector<std::pair<std::string, Secret>> set;
  std::vector<std::string> unset;
};
struct PropertyEvent {
  std::string app, group, key;
  bool is_set = true;
  std::string value = {};  ///< property.change: what it is to be
};
struct EnvEvent {
  std::string app;
  std::string phase;  ///< build, release, run
  std::string process_type;
  TextMap& env;
  TextMap* masked = nullptr;  ///< build: values that its output must not show
};
struct SourceEvent {
  std::string app, dir, revision, ref;
};
struct BuildEvent {
  std::string app, dir, builder;
  std::int32_t status = 0;
  TextMap& options;
};
struct ReleaseEvent {
  std::string app;
  unsigned version = 0;
  ArtifactRef artifact;
  std::string description;
};
struct DeployEvent {
  std::string app, kind, state, message;
  unsigned version = 0;
  std::int32_t status = 0;
};
struct ProcessEvent {
  std::string app, revision, process_type;
  unsigned count = 0;
  TextMap& plan;
};
struct RouteEvent {
  std::string app, revision;
  std::vector<std::string> hosts;
  std::vector<Endpoint> endpoints;
  TextMap& plan;
};
struct ServiceEvent {
  std::string kind, service, change, app;
};
struct CollectEvent {
  bool dry_run = false;
  TextMap& needed;
  TextMap& garbage;                 ///< what plugins remove of their own: "PLUGIN/WHAT" to "BYTES WHY"
  std::int64_t listed_unix_ms = 0;  ///< from when `needed` is: what was made since is no garbage
};

using EventPayload = std::variant<std::monostate, AuthEvent*, AppEvent*, ConfigEvent*, PropertyEvent*,
                                  EnvEvent*, SourceEvent*, BuildEvent*, ReleaseEvent*, DeployEvent*,
                                  ProcessEvent*, RouteEvent*, ServiceEvent*, CollectEvent*>;

struct Event {
  std::string_view id;  ///< one of the constants below, or a plugin's own notice "ID.WORD"
  EventPayload payload;
  TextMap facts;  ///< read-only extras
};

/// The fixed list: id and kind. An id that is not here is a notice of a plugin.
struct EventType {
  std::string_view id;
  EventKind kind;
};
const std::vector<EventType>& event_types();
/// kNotice for an unknown id.
EventKind kind_of(std::string_view event_id);

namespace event_id {
inline constexpr std::string_view kAuthorize = "auth.authorize", kAppCreate = "app.create",
                                  kAppDestroy = "app.destroy", kAppCopy = "app.copy",
                                  kConfigChange = "config.change", kConfigChanged = "config.changed",
                                  kPropertyChange = "property.change", kPropertyChanged = "property.changed",
                                  kEnvResolve = "env.resolve", kSourceReceive = "source.receive",
                                  kSourcePrepare = "source.prepare", kBuildPlan = "build.plan",
                                  kBuildFinished = "build.finished", kReleaseAssemble = "release.assemble",
                                  kReleaseCommand = "release.command", kDeployBegin = "deploy.begin",
                                  kProcessPlan = "process.plan", kProcessStart = "process.start",
                                  kProcessCheck = "process.check", kRoutePlan = "route.plan",
                                  kRouteValidate = "route.validate", kRouteSwitch = "route.switch",
                                  kProcessDrain = "process.drain", kProcessStop = "process.stop",
                                  kDeployFinished = "deploy.finished", kServiceChange = "service.change",
                                  kSystemStart = "system.start", kSystemCollect = "system.collect";
}  // namespace event_id

}  // namespace davit
