// A real s6 tree in a folder of its own, taken down at the end of the test.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "process/files.hpp"
#include "supervise/supervisor.hpp"
#include "supervise/unit_files.hpp"
#include "tests/temp_folder.hpp"

namespace davit::test {

constexpr std::int64_t kPatienceMs = 30'000;  // nothing waits that long unless it fails

class TreeTest : public ::testing::Test {
 protected:
  void SetUp() override { supervisor = make_supervisor(settings()); }
  void TearDown() override {
    EXPECT_TRUE(supervisor->stop_tree(kPatienceMs));
    const auto log = read_file(root() / "log").value_or("");
    if (quiet_log_expected) {
      EXPECT_EQ(log, "") << "s6 complained";
    }
  }

  [[nodiscard]] std::filesystem::path root() const { return dir / "s6"; }
  [[nodiscard]] SupervisorSettings settings() const {
    SupervisorSettings settings;
    settings.folder = root();
    settings.unit_program = std::filesystem::path(LIBEXEC_DIR) / "davit-unit";
    settings.adopt_program = std::filesystem::path(LIBEXEC_DIR) / "davit-adopt";
    settings.max_units = 500;
    return settings;
  }
  /// bash, since that is what runs a Procfile line.
  [[nodiscard]] Unit bash(const std::string& name, const std::string& script) const {
    Unit unit;
    unit.name = name;
    unit.argv = {"/bin/bash", "-c", script};
    unit.env = {{"PATH", "/usr/bin:/bin"}};
    unit.cwd = dir.path().native();
    unit.stop_timeout_ms = 5'000;
    unit.backoff = {0, 0, 10'000};
    return unit;
  }
  UnitStatus wait_up(const std::string& name) {
    return wait(name, {WaitFor::kUp, 0, kPatienceMs, std::nullopt});
  }
  UnitStatus wait_down(const std::string& name) {
    return wait(name, {WaitFor::kDown, 0, kPatienceMs, std::nullopt});
  }
  UnitStatus wait_exits(const std::string& name, std::uint64_t exits) {
    return wait(name, {WaitFor::kExits, exits, kPatienceMs, std::nullopt});
  }
  UnitStatus wait(const std::string& name, const WaitSpec& spec) {
    auto status = supervisor->wait(name, spec);
    EXPECT_TRUE(status) << (status ? "" : status.error().text())
                        << "\ns6: " << read_file(root() / "log").value_or("");
    return status ? *status : UnitStatus{};
  }
  void ensure(const Unit& unit) {
    const auto done = supervisor->ensure(unit);
    ASSERT_TRUE(done) << done.error().text() << "\ns6: " << read_file(root() / "log").value_or("");
  }
  /// Looks again and again; for what has no event, such as a file that a program writes.
  template <typename Condition>
  static bool eventually(Condition condition) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
  }
  [[nodiscard]] std::string text(const std::string& name) const { return read_file(dir / name).value_or(""); }
  [[nodiscard]] bool has_line(const std::string& name, const std::string& line) const {
    return ("\n" + text(name)).find("\n" + line + "\n") != std::string::npos;
  }
  /// A zombie is dead: whoever is pid 1 may reap late.
  static bool alive(pid_t pid) {
    const auto stat = read_file("/proc/" + std::to_string(pid) + "/stat").value_or("");
    const auto after = stat.rfind(')');
    return after != std::string::npos && after + 2 < stat.size() && stat[after + 2] != 'Z' &&
           stat[after + 2] != 'X';
  }
  static void kill_and_wait(pid_t pid, int signal = SIGKILL) {
    const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    ASSERT_TRUE(process.valid());
    detail::send(process.get(), signal);
    ASSERT_TRUE(detail::wait_for_end(process.get(), SystemClock().now_mono_ms() + kPatienceMs));
  }
  [[nodiscard]] detail::UnitFiles files(const std::string& name) const {
    return detail::UnitFiles(root() / "units" / name);
  }
  [[nodiscard]] pid_t svscan_pid() const {
    return detail::lock_holder(root() / "scan" / ".s6-svscan" / "lock").value_or(0);
  }
  [[nodiscard]] pid_t unit_pid(const std::string& name) const { return files(name).s6_status()->pid; }

  TempFolder dir;
  std::unique_ptr<Supervisor> supervisor;
  bool quiet_log_expected = true;
};

}  // namespace davit::test
