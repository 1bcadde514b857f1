// A runtime plugin, loaded as davit loads it, behind C++ calls. Every call is its own invocation; the last
// one's words stay in `call`.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "davit/instances.hpp"
#include "davit/plugin.h"
#include "davit/runtime.h"
#include "fake_host.hpp"
#include "test_call.hpp"

namespace davit::test {

/// Threads: one at a time (as the host does), but for TestCall::cancel().
class RuntimeUnderTest {
 public:
  /// Loads, creates and starts; fails the test if that does not work.
  RuntimeUnderTest(FakeHost& host, const std::filesystem::path& plugin_file);
  RuntimeUnderTest(const RuntimeUnderTest&) = delete;
  RuntimeUnderTest& operator=(const RuntimeUnderTest&) = delete;
  ~RuntimeUnderTest();

  davit_status apply(const sdk::Group& group);
  davit_status inspect(const sdk::Selector& selector, std::vector<sdk::Instance>& found);
  davit_status wait_change(const sdk::Selector& selector, std::uint64_t timeout_ms);
  davit_status stop(const sdk::Selector& selector);
  davit_status start(const sdk::Selector& selector);
  davit_status remove(const sdk::Selector& selector, bool forget_logs);
  /// With `call`: may be cancelled from another thread.
  davit_status logs(TestCall& call, const sdk::Selector& selector, const sdk::LogQuery& query,
                    const sdk::LogOutput& out);
  davit_status exec(const sdk::Exec& exec, int& exit_code);
  davit_status run_task(TestCall& call, const sdk::Task& task, int& exit_code);
  davit_status list_owned(sdk::Strings& owned);
  davit_status describe(sdk::Pairs& facts);

  /// davit.doctor/1: "LEVEL what" of each finding.
  davit_status examine(sdk::Strings& findings);
  /// davit.hooks/1: the step system.start, prepared and applied.
  davit_status system_start();
  /// The same step undone: the system stops.
  davit_status system_stop();

  /// Of the last invocation that made its own.
  [[nodiscard]] const TestCall& call() const { return *call_; }

 private:
  TestCall& fresh();

  const davit_plugin_descriptor* descriptor_ = nullptr;
  davit_plugin* plugin_ = nullptr;
  const davit_runtime* runtime_ = nullptr;
  std::unique_ptr<TestCall> call_;
};

}  // namespace davit::test
