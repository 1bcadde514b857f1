// What the engine works with, wired by main. Everything is borrowed and outlives the engine.
#pragma once

#include <poll.h>

#include <functional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/paths.hpp"
#include "events/bus.hpp"
#include "lifecycle/endpoint_probe.hpp"
#include "lifecycle/source_store.hpp"
#include "plugin/capability.hpp"
#include "store/store.hpp"

namespace davit {

struct LifecycleServices {
  Store& store;
  EventBus& bus;
  Capabilities& capabilities;
  SourceStore& sources;
  EndpointProbe& probe;
  const Clock& clock;
  const Home& home;
  /// Called once: lets the app's lock go and tells the viewer. Right after the switch is confirmed; after the
  /// drain of a scale and after the end of a destroy, which must not meet the next deployment.
  std::function<void()> on_committed = [] {};
  /// Called with "PHASE/PLUGIN/HOOK:STATE" after each journal row is synced. Tests kill the process there;
  /// else a no-op.
  std::function<void(std::string_view)> failpoint = [](std::string_view) {};
  /// Makes a service answer at the unix socket `socket` of a folder, for instances that have a loopback of
  /// their own; the folder. Idempotent.
  std::function<Result<std::string>(const Service&)> open_socket = [](const Service&) -> Result<std::string> {
    return fail(Code::kInternal, "Nobody opens sockets of services here");
  };
  /// Lets so much time go by; a signal may cut it short.
  std::function<void(MonoMs ms)> pause = [](MonoMs ms) { (void)::poll(nullptr, 0, static_cast<int>(ms)); };
  /// Tells the guard where we are (breadcrumb); may do nothing.
  std::function<void(std::string_view deployment, std::string_view step)> mark = [](std::string_view,
                                                                                    std::string_view) {};
};

}  // namespace davit
