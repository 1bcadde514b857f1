// The davit.host.* services, asked by a plugin in C.
#include <davit/runtime.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "events/bus.hpp"
#include "host_fixture.hpp"
#include "plugin/host_core.hpp"

namespace davit {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class HostServicesTest : public PluginHostFixture {};

TEST_F(HostServicesTest, SettingsHaveDefaultsAndTheOperatorsValues) {
  at_.configure("[plugins.fixture]\n[plugins.fixture.settings]\ngreeting = \"hi\"\nnames = [\"x\", \"y\"]\n");
  EXPECT_EQ(run("fixture:host", {"settings"}), "hi8080xy");
  EXPECT_THAT(run("fixture:host", {"missing-setting"}),
              HasSubstr("Setting wait of plugin fixture is not set"));
  EXPECT_EQ(last_error_.code, Code::kNotFound);
}

TEST_F(HostServicesTest, KvIsPerAppOrGlobal) {
  ASSERT_TRUE(store_->apps().create("shop"));
  EXPECT_EQ(run("fixture:host", {"kv", "shop"}), "k=two;");
  EXPECT_EQ(run("fixture:host", {"kv"}), "k=two;");
  EXPECT_THAT(run("fixture:host", {"kv", "ghost"}), HasSubstr("ERROR"));
}

TEST_F(HostServicesTest, PropertiesFallBackToGlobalAndDeclaredValues) {
  ASSERT_TRUE(store_->apps().create("shop"));
  EXPECT_EQ(run("fixture:host", {"property", "shop"}), "red");
  EXPECT_EQ(run("fixture:host", {"property", "", "blue"}), "blue");
  EXPECT_EQ(run("fixture:host", {"property", "shop"}), "blue");
  EXPECT_EQ(run("fixture:host", {"property", "shop", "red"}), "red");
  EXPECT_THAT(run("fixture:host", {"property", "shop", "green"}), HasSubstr("one of: red, blue"));
  EXPECT_THAT(run("fixture:host", {"property", "ghost"}), HasSubstr("ghost does not exist"));
  EXPECT_EQ(last_error_.slug, "app-not-found");
}

TEST_F(HostServicesTest, PathsOfItsOwnAreMade) {
  const std::string state = run("fixture:host", {"path", "state"});
  EXPECT_EQ(state, at_.home.plugin_state("fixture").string());
  EXPECT_TRUE(std::filesystem::is_directory(state));
  EXPECT_EQ(run("fixture:host", {"path", "share"}), (at_.installation.share() / "fixture").string());
  EXPECT_EQ(run("fixture:host", {"path", "libexec"}), (at_.installation.prefix / "libexec/davit").string());
  EXPECT_THAT(run("fixture:host", {"path", "/etc"}), HasSubstr("There is no path"));
}

TEST_F(HostServicesTest, ProgramsRunWithTheirInputAndASmallEnvironment) {
  EXPECT_EQ(run("fixture:host", {"process"}), "piped " + at_.home.root.string() + "\n");
}

TEST_F(HostServicesTest, TasksGoToTheRuntimeOfTheApp) {
  EXPECT_EQ(run("fixture:host", {"task", "shop"}), "shopmake");
}

TEST_F(HostServicesTest, SecretsPortsAndTheRegistry) {
  EXPECT_THAT(run("fixture:host", {"secret"}), MatchesRegex("[A-Za-z0-9]{32}"));
  EXPECT_NE(run("fixture:host", {"secret"}), run("fixture:host", {"secret"}));
  EXPECT_EQ(run("fixture:host", {"port"}), "");
  EXPECT_EQ(run("fixture:host", {"registry"}), "fixture=1.2.3;");
}

TEST_F(HostServicesTest, AppsReportAndNameTheMissing) {
  ASSERT_TRUE(store_->apps().create("shop"));
  EXPECT_THAT(run("fixture:host", {"apps", "shop"}),
              HasSubstr("deployed=false;locked=false;release=;revision=;runtime=fixture;"));
  EXPECT_THAT(run("fixture:host", {"apps", "ghost"}), HasSubstr("does not exist"));
}

TEST_F(HostServicesTest, NoticesCarryThePublishersName) {
  EventBus bus;
  host().subscribe_hooks(bus);
  EXPECT_EQ(run("fixture:host", {"publish", "fixture.word"}), "who=ada;");
  EXPECT_THAT(run("fixture:host", {"publish", "deploy.finished"}), HasSubstr("may not publish"));
}

// Without a plugin: the table itself, as a plugin gets it.
class SuperviseServiceTest : public PluginHostFixture {
 protected:
  SuperviseServiceTest() {
    entry_.id = "nginx";
    entry_.note.requires_ids = {DAVIT_HOST_SUPERVISE_ID};
    const davit_host* host = side_.abi();
    table_ =
        static_cast<const davit_host_supervise*>(host->get_interface(host, abi(DAVIT_HOST_SUPERVISE_ID)));
  }
  CatalogEntry entry_;
  HostCore core_{{}, services(), nullptr, nullptr, {}, 0};
  HostSide side_{entry_, core_};
  CallBridge bridge_{context_, "nginx", nullptr};
  const davit_host_supervise* table_ = nullptr;
};

TEST_F(SuperviseServiceTest, UnitsKeepEveryField) {
  ASSERT_NE(table_, nullptr);
  const davit_str argv[] = {abi("/usr/sbin/nginx"), abi("-g")};
  const davit_kv env[] = {{abi("A"), abi("b")}};
  davit_limits limits{};
  limits.struct_size = sizeof limits;
  limits.cpu_millis = 1500;
  davit_unit unit{};
  unit.struct_size = sizeof unit;
  unit.flags = DAVIT_UNIT_STOP_FIRST;
  unit.name = abi("nginx");
  unit.argv = {argv, 2};
  unit.env = {env, 1};
  unit.limits = &limits;
  unit.log_dir = abi("/logs");
  unit.restart = DAVIT_RESTART_ON_FAILURE;
  unit.max_retries = 4;
  unit.stop_signal = 3;
  unit.stop_timeout_ms = 1234;
  unit.notify_fd = 5;
  ASSERT_EQ(table_->ensure(side_.abi(), bridge_.call(), &unit), DAVIT_OK);
  const Unit& made = supervisor_.units.at("nginx");
  EXPECT_EQ(made.argv.at(1), "-g");
  EXPECT_FALSE(made.stop_all);
  EXPECT_DOUBLE_EQ(made.limits.cpu_quota, 1.5);
  EXPECT_EQ(made.log->max_files, 5U);
  EXPECT_EQ(made.restart, RestartPolicy::kOnFailure);
  EXPECT_EQ(made.max_failures, 4U);
  EXPECT_EQ(made.stop_signal, 3);
  EXPECT_EQ(made.stop_timeout_ms, 1234U);
  EXPECT_EQ(made.notify_fd, 5);
  // A plugin built with older headers: its struct ends before notify_fd, and what lies behind is not looked
  // at.
  unit.struct_size = offsetof(davit_unit, notify_fd);
  ASSERT_EQ(table_->ensure(side_.abi(), bridge_.call(), &unit), DAVIT_OK);
  EXPECT_EQ(supervisor_.units.at("nginx").notify_fd, 0);
  EXPECT_TRUE(supervisor_.units.at("nginx").stop_all == false);
}

TEST_F(SuperviseServiceTest, StatusFillsOnlyWhatTheCallersStructHas) {
  supervisor_.units["nginx"] = {};
  davit_unit_status status{};
  status.struct_size = offsetof(davit_unit_status, exit_code);
  status.exit_code = 77;
  ASSERT_EQ(table_->status(side_.abi(), bridge_.call(), abi("nginx"), &status), DAVIT_OK);
  EXPECT_EQ(status.pid, 42);
  EXPECT_EQ(status.exit_code, 77);
  status.struct_size = sizeof status;
  ASSERT_EQ(table_->status(side_.abi(), bridge_.call(), abi("nginx"), &status), DAVIT_OK);
  EXPECT_EQ(status.exit_code, 137);
  EXPECT_EQ(table_->status(side_.abi(), bridge_.call(), abi("ghost"), &status), DAVIT_NOT_FOUND);
  EXPECT_EQ(bridge_.finish(DAVIT_NOT_FOUND, "status").error().slug, "unit-missing");
}

TEST_F(SuperviseServiceTest, AWaitForSeveralEndsWithTheFirst) {
  supervisor_.units["a"] = {};
  supervisor_.units["b"] = {};
  supervisor_.answers = "b";
  const davit_str names[] = {abi("a"), abi("b")};
  EXPECT_EQ(table_->wait(side_.abi(), bridge_.call(), {names, 2}, DAVIT_UNIT_WAIT_UP, 60'000), DAVIT_OK);
  EXPECT_EQ(table_->wait(side_.abi(), bridge_.call(), {names, 2}, 99, 60'000), DAVIT_INVALID);
  EXPECT_EQ(table_->wait(side_.abi(), bridge_.call(), {names, 0}, DAVIT_UNIT_WAIT_UP, 1), DAVIT_INVALID);
}

}  // namespace
}  // namespace davit
