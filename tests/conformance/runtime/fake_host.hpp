// A davit_host for tests of runtimes: the C tables that a runtime needs, over the real supervision (s6) and
// the real process runner, in a home of its own. Not the host's own adapters (host/plugin): those have their
// own tests.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "davit/host.h"
#include "process/process_runner.hpp"
#include "supervise/supervisor.hpp"
#include "tests/port_block.hpp"

namespace davit::test {

struct FakeHostSettings {
  std::filesystem::path home;     ///< exists
  std::filesystem::path libexec;  ///< davit's small programs
  RunAs app_user;                 ///< for "app", if we are root
  std::map<std::string, std::string> settings;
  std::string plugin = "process";  ///< whose folders are asked for
};

/// Threads: one at a time.
class FakeHost {
 public:
  explicit FakeHost(FakeHostSettings settings);
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;
  ~FakeHost();

  [[nodiscard]] const davit_host* raw() const { return &raw_; }
  [[nodiscard]] Supervisor& supervisor() { return *supervisor_; }
  [[nodiscard]] const FakeHostSettings& settings() const { return settings_; }
  [[nodiscard]] ProcessRunner& runner() { return *runner_; }
  /// Where leases come from; no other test has these ports meanwhile.
  [[nodiscard]] PortBlock& ports() { return ports_; }
  /// Owner -> port.
  [[nodiscard]] std::map<std::string, std::uint64_t>& leases() { return leases_; }
  /// davit.host.properties/1: "APP/GROUP/KEY" -> items.
  [[nodiscard]] std::map<std::string, std::vector<std::string>>& lists() { return lists_; }
  /// A setting, for plugins that are started after this.
  void change(const std::string& key, const std::string& value) { settings_.settings[key] = value; }
  /// Command lines that were run through davit.host.process/1.
  [[nodiscard]] std::vector<std::vector<std::string>>& commands() { return commands_; }

  static FakeHost& self(const davit_host* host) { return *static_cast<FakeHost*>(host->host_data); }

 private:
  FakeHostSettings settings_;
  std::unique_ptr<ProcessRunner> runner_;
  std::unique_ptr<Supervisor> supervisor_;
  PortBlock ports_;
  std::map<std::string, std::uint64_t> leases_;
  std::map<std::string, std::vector<std::string>> lists_;
  std::vector<std::vector<std::string>> commands_;
  davit_host raw_{};
};

}  // namespace davit::test
