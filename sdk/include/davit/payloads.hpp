/* What lifecycle events carry, as C++ structs of borrowed views: valid during the call only. Event
 * (events.hpp) makes them, so that a payload is never read as another event's. */
#ifndef DAVIT_PAYLOADS_HPP
#define DAVIT_PAYLOADS_HPP

#include <cstdint>
#include <string_view>
#include <vector>

#include "davit/hooks.h"
#include "davit/sinks.hpp"
#include "davit/values.hpp"

namespace davit::sdk {

struct AuthEvent {
  std::string_view actor;
  std::string_view command;
  std::string_view app; /* may be empty */
};

struct AppEvent {
  std::string_view app;
  std::string_view source_app; /* app.copy */
  bool is_rename;              /* app.copy: the source goes away */
};

struct ConfigEvent {
  std::string_view app;
  bool is_global;
  Pairs set; /* secret */
  Strings unset;
};

struct PropertyEvent {
  std::string_view app; /* empty: global */
  std::string_view group;
  std::string_view key;
  bool is_set;
  std::string_view value; /* property.change */
};

struct EnvEvent {
  std::string_view app;
  std::string_view phase; /* "build", "release" or "run" */
  std::string_view process_type;
  Map env;
  Map masked; /* values that a build's output must not show, under any keys; false in other phases */
};

struct SourceEvent {
  std::string_view app;
  std::string_view dir;
  std::string_view revision;
  std::string_view ref;
};

struct BuildEvent {
  davit_status status; /* build.finished */
  std::string_view app;
  std::string_view dir;
  std::string_view builder;
  Map options; /* build.plan */
};

struct ReleaseEvent {
  uint32_t version;
  std::string_view app;
  Artifact artifact;
  std::string_view description;
};

struct DeployEvent {
  davit_status status; /* deploy.finished */
  std::string_view app;
  std::string_view kind;
  std::string_view state;
  std::string_view message;
  uint32_t version;
};

struct ProcessEvent {
  uint32_t count;
  std::string_view app;
  std::string_view revision;
  std::string_view process_type;
  Map plan; /* process.plan */
};

struct RouteEvent {
  std::string_view app;
  std::string_view revision;
  Strings hosts;
  std::vector<Endpoint> endpoints;
  Map plan; /* route.plan */
};

struct ServiceEvent {
  std::string_view kind;
  std::string_view service;
  std::string_view change;
  std::string_view app;
};

struct CollectEvent {
  bool dry_run;
  Map needed;
  Map garbage;            /* what this plugin removes, or would: "PLUGIN/WHAT" to "BYTES WHY" */
  int64_t listed_unix_ms; /* what was made since is no garbage; 0: the host does not say */
};

}  // namespace davit::sdk
#endif
