// The conformance suite of davit.runtime/1: what every runtime must do, whatever it is made of. A runtime's
// own test program links suite_*.cpp and says how its world is made (make_world()).
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime_under_test.hpp"
#include "tests/temp_folder.hpp"

namespace davit::test {

/// One runtime in a home of its own. Its destructor checks that nothing is left behind.
class World {
 public:
  virtual ~World() = default;
  virtual RuntimeUnderTest& runtime() = 0;
  /// A fresh instance of the plugin on the same home: as another davit command.
  virtual void restart_plugin() = 0;
  /// An artifact with these executable files at /app.
  virtual sdk::Artifact artifact(const std::map<std::string, std::string>& files) = 0;
  /// A folder on the host, made, whose content may be mounted.
  virtual std::string host_folder(const std::string& name) = 0;
  /// Makes the instance look half made, half removed: what an interrupted call leaves.
  virtual void break_instance(const std::string& id) = 0;
  virtual bool isolated() = 0;
  /// Where an app listens so that it is reached: inside a network of its own, on all addresses.
  virtual std::string listen_address() { return "127.0.0.1"; }
  /// Whether the runtime itself knows who listens (davit_instance, listening).
  virtual bool sees_listeners() { return false; }
};

/// Defined by each runtime's test program.
std::unique_ptr<World> make_world();

/// The longest that anything may take before the test fails; nothing waits that long otherwise.
inline constexpr std::int64_t kPatienceMs = 60'000;

/// Looks until it holds; false when patience ends. For what has no event.
bool eventually(const std::function<bool()>& holds);

/// The answer to GET / on 127.0.0.1:port; empty if nobody answers.
std::string http_get(std::uint32_t port);

/// For a sleep: seconds that no other run of the suite uses, so that process_with_argument() finds only ours.
std::string own_seconds(unsigned which);

class RuntimeSuite : public testing::Test {
 protected:
  void SetUp() override { world = make_world(); }
  void TearDown() override { world.reset(); }

  RuntimeUnderTest& runtime() { return world->runtime(); }
  /// A group of `type` that runs bash with `script`; not listening.
  sdk::Group group(const std::string& type, const std::string& script, std::uint32_t count = 1);
  /// A listening web server (python3 of the stack) that answers "hello from INSTANCE" and logs.
  sdk::Group web(std::uint32_t count, const std::string& revision = "d1");
  sdk::Selector all(const std::string& revision = "", const std::string& type = "");
  std::vector<sdk::Instance> inspect(const sdk::Selector& selector);
  std::vector<sdk::Instance> inspect() { return inspect(all()); }
  /// Until `holds` of what inspect says; waits by wait_change.
  bool wait_until(const std::function<bool(const std::vector<sdk::Instance>&)>& holds);
  bool wait_up(std::size_t count);
  std::vector<std::string> log_texts(const sdk::LogQuery& query = {});
  bool wait_log(const std::string& text);
  /// Output of a task that must end by itself.
  std::string task_output(sdk::Task task, int expected_code = 0);
  sdk::Task task(const std::string& script);

  std::unique_ptr<World> world;
};

}  // namespace davit::test
