// A home with services on fakes: a kind whose programs are words, and a runtime that keeps its world in
// memory.
#pragma once

#include "service/keeper.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/fakes/fake_capabilities.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_probe.hpp"
#include "tests/temp_folder.hpp"

namespace davit {

namespace fs = std::filesystem;

constexpr std::int64_t kDayMs = 24LL * 60 * 60 * 1000;

class FakeKind final : public ServiceKind {
 public:
  [[nodiscard]] std::string_view id() const override { return "fake"; }
  Result<TextMap> describe(const CallContext&) override { return facts; }
  Result<ServiceProgram> program(ServiceProgramKind kind, const ServiceFacts& facts,
                                 const CallContext&) override {
    ServiceProgram program;
    if (kind == ServiceProgramKind::kSetup) return program;
    program.argv = {"program", std::to_string(static_cast<unsigned>(kind)), std::to_string(facts.port)};
    program.env["PASSWORD"] = facts.password.reveal();
    if (facts.filling) program.argv.emplace_back("filling");
    if (kind == ServiceProgramKind::kServe) program.files["conf"] = "secret";
    return program;
  }
  TextMap facts{{"scheme", "fake"}, {"username", "u"}, {"database", "name"}, {"versions", "1 2"}};
};

class KeeperTest : public testing::Test {
 protected:
  KeeperTest() {
    store_.emplace(std::move(*Store::open(home_.database(), StoreMode::kCreate, clock_)));
    capabilities_.service = &kind_;
    settings_.port_first = 21'000;
    settings_.port_last = 21'999;
  }

  ServiceWorld world() {
    return {.store = *store_,
            .capabilities = capabilities_,
            .probe = probe_,
            .clock = clock_,
            .home = home_,
            .settings = settings_,
            .to_the_end = [this] { context_.cancelled = [] { return false; }; },
            .failpoint =
                [this](std::string_view point) {
                  if (point == dies_at_) throw std::runtime_error("died");
                }};
  }
  ServiceKeeper keeper() { return ServiceKeeper(world()); }
  Services& services() { return store_->services(); }
  Service made(const std::string& name) {
    auto service = keeper().create({"fake", name}, context_);
    if (!service) throw std::runtime_error(service.error().text());
    return *service;
  }
  Service now(const std::string& name) { return services().get("fake", name).value(); }
  fs::path data(const Service& service) { return keeper().current(service).data(); }
  /// Bytes that a dump of the fake writes, and that a load reads.
  int file_of(const std::string& text) {
    const fs::path path = home_.root / "stream";
    FILE* file = fopen(path.c_str(), "w+");
    fputs(text.c_str(), file);
    rewind(file);
    return fileno(file);
  }
  void dumps_something() {
    capabilities_.runtime_fake.on_task = [](const TaskRequest& task) {
      return task.name == "dump" && ::write(task.fds[1], "data", 4) != 4 ? 1 : 0;
    };
  }
  [[nodiscard]] std::vector<std::string> servers() const {
    std::vector<std::string> names;
    for (const auto& [name, group] : capabilities_.runtime_fake.groups) names.push_back(name);
    return names;
  }

  const test::TempFolder folder_;
  Home home_{folder_.path(), {}};
  fakes::FakeClock clock_;
  std::optional<Store> store_;
  FakeKind kind_;
  fakes::FakeCapabilities capabilities_;
  fakes::FakeProbe probe_;
  HostSettings settings_;
  fakes::RecordedOutput out_;
  CallContext context_{.actor = "test", .app = {}, .deployment = {}, .out = out_};
  std::string dies_at_;
};

}  // namespace davit
