// World: one davit home with a real store, and everything that an engine works with, as fakes. An Engine is
// made anew for each operation, as a worker is. A death is an exception thrown from a failpoint: nothing of
// the engine runs after it, and the store takes back what was not committed, as after a kill -9.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lifecycle/engine.hpp"
#include "tests/fakes/fake_capabilities.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_hook.hpp"
#include "tests/fakes/fake_probe.hpp"
#include "tests/fakes/fake_source_store.hpp"
#include "tests/must.hpp"
#include "tests/temp_folder.hpp"

namespace davit::scenario {

/// Thrown where the worker is killed. Not a std::exception: nothing may catch it on the way.
struct Died {};

inline constexpr const char* kFirst = "1111111111111111111111111111111111111111";
inline constexpr const char* kSecond = "2222222222222222222222222222222222222222";

class World {
 public:
  World();

  /// Opens a deployment of the app and runs it, as the worker does.
  Result<> deploy(const std::string& kind, const std::string& request_json = "{}");
  Result<> push(const std::string& revision = kFirst);
  /// Runs it and dies at the failpoint. False when that point never came.
  bool deploy_and_die(const std::string& kind, const std::string& request_json, const std::string& point);
  /// What the next command does: a fresh store and a fresh engine. `die_at`: a failpoint, or none.
  Result<> recover(const std::string& die_at = {});
  /// The worker that ran the last deployment is dead now, whatever /proc says of us.
  void owner_dies();

  [[nodiscard]] Deployment last();
  [[nodiscard]] DeploymentState state() { return last().state; }
  /// Everything that a user or an operator could notice, one line each: releases that did not fail, groups,
  /// instances, routes, settings, scratch files, kept objects, marks of plugins. Deployment ids are kept, so
  /// that an old revision is told from a new one.
  [[nodiscard]] std::vector<std::string> picture();
  [[nodiscard]] std::vector<std::string> instances() const;  ///< ids, sorted
  [[nodiscard]] std::vector<std::string> slug_files() const;
  /// Ids of the instances that the proxy sends requests to; each is alive or a failure is added.
  [[nodiscard]] std::vector<std::string> answering();
  /// As run:detached of the shop does.
  void begin_run(fakes::FakeRuntime& runtime, const std::string& revision);
  void add_hooks();  ///< a plugin "acme" with a step at each step event

  [[nodiscard]] LifecycleServices services();
  void reopen();
  [[nodiscard]] Store& store() { return *store_; }
  CallContext context();

  const test::TempFolder folder;
  Home home{folder.path(), folder / "plugins.toml"};
  fakes::FakeClock clock;
  fakes::FakeCapabilities plugins;
  fakes::FakeSourceStore sources{plugins.record};
  fakes::FakeProbe probe;
  fakes::RecordedOutput out;
  EventBus bus;
  fakes::FakeHook::Marks marks;
  App shop;
  std::vector<std::string> points;  ///< failpoints of the last deployment or recovery, in order
  std::vector<std::string> phases;  ///< phases at which on_committed was called
  std::function<void()> at_pause;   ///< called when the engine lets time go by
  std::function<bool()> cancelled = [] { return false; };
  std::function<void(const std::string& point)> at_point;  ///< called at each failpoint
  fakes::CallRecord& record = plugins.record;

 private:
  std::optional<Store> store_;
  std::string last_id_;
};

class Story : public testing::Test {
 protected:
  World world;
};

}  // namespace davit::scenario
