// A PluginHost on a throw-away home with a real store, and the C fixture installed.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <memory>
#include <optional>

#include "guard/breadcrumb.hpp"
#include "plugin/plugin_host.hpp"
#include "plugin_home.hpp"
#include "store/store.hpp"
#include "supervise/supervisor.hpp"
#include "tests/fakes/fake_capabilities.hpp"

namespace davit {

/// Units that only remember; wait() answers at once.
class FakeSupervisor final : public Supervisor {
 public:
  Result<bool> ensure_tree() override { return false; }
  Result<> stop_tree(std::int64_t) override { return {}; }
  [[nodiscard]] bool tree_running() const override { return true; }
  Result<> ensure(const Unit& unit) override {
    units.insert_or_assign(unit.name, unit);
    return {};
  }
  [[nodiscard]] Result<UnitStatus> status(std::string_view name) const override {
    if (!units.contains(name))
      return fail(Code::kNotFound, "No unit " + std::string(name), {}, "unit-missing");
    UnitStatus status;
    status.up = status.wanted_up = true;
    status.phase = UnitPhase::kUp;
    status.pid = 42;
    status.exits = 3;
    status.last_signal = 9;
    return status;
  }
  [[nodiscard]] Result<std::vector<std::string>> list(std::string_view prefix) const override {
    std::vector<std::string> names;
    for (const auto& [name, unit] : units)
      if (name.starts_with(prefix)) names.push_back(name);
    return names;
  }
  Result<> signal(std::string_view, int signal) override {
    last_signal = signal;
    return {};
  }
  Result<> down(std::string_view) override { return {}; }
  Result<> up(std::string_view) override { return {}; }
  Result<> remove(std::string_view name, std::int64_t) override {
    if (const auto unit = units.find(name); unit != units.end()) units.erase(unit);
    return {};
  }
  /// Of the unit named `answers` at once; of others when they are cancelled.
  Result<UnitStatus> wait(std::string_view name, const WaitSpec& spec) override {
    if (answers.empty() || name == answers) return status(name);
    while (spec.cancel && !spec.cancel->cancelled()) {
      pollfd done{spec.cancel->fd(), POLLIN, 0};
      ::poll(&done, 1, -1);
    }
    return fail(Code::kCancelled, "cancelled");
  }

  std::map<std::string, Unit, std::less<>> units;
  std::string answers;
  int last_signal = 0;
};

class PluginHostFixture : public ::testing::Test {
 protected:
  PluginHostFixture() {
    at_.install("fixture", "fixture.so");
    at_.configure("[plugins.fixture]\n");
    auto store = Store::open(at_.home.database(), StoreMode::kCreate, clock_);
    EXPECT_TRUE(store) << store.error().text();
    store_.emplace(std::move(*store));
  }
  PluginServices services() {
    return {.home = at_.home,
            .installation = at_.installation,
            .store = *store_,
            .processes = *processes_,
            .supervisor = supervisor_,
            .clock = clock_,
            .breadcrumb = breadcrumb_,
            .log = nullptr,
            .app_user = std::nullopt,
            .runtime_of_app = {},
            .request_reroute = {}};
  }
  PluginHost& host() {
    if (!host_) {
      auto opened = PluginHost::open(PluginCatalog::read(at_.home, at_.installation).value(), services());
      EXPECT_TRUE(opened) << opened.error().text();
      host_ = std::move(*opened);
    }
    return *host_;
  }
  /// The command's result text; an error's text after "ERROR ".
  std::string run(const std::string& command, std::vector<std::string> args) {
    out_.results.clear();
    const auto code = host().run_command({command, std::move(args), {}, {0, 1, 2}}, context_);
    if (!code) {
      last_error_ = code.error();
      return "ERROR " + code.error().text();
    }
    last_code_ = *code;
    return out_.results;
  }

  PluginHome at_;
  SystemClock clock_;
  std::optional<Store> store_;
  std::unique_ptr<ProcessRunner> processes_ = make_process_runner();
  FakeSupervisor supervisor_;
  Breadcrumb breadcrumb_;
  fakes::RecordedOutput out_;
  CallContext context_{.actor = "local:ada", .app = "shop", .deployment = "d1", .out = out_};
  std::unique_ptr<PluginHost> host_;
  Error last_error_;
  int last_code_ = -1;
};

}  // namespace davit
