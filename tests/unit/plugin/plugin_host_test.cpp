// The plugin host with a plugin in C: hooks, steps, capabilities, commands, and what plugins may do wrong.
#include "plugin/plugin_host.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "events/bus.hpp"
#include "host_fixture.hpp"

namespace davit {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PluginHostTest : public PluginHostFixture {
 protected:
  EventBus bus_;
};

TEST_F(PluginHostTest, APluginIsLoadedAtTheFirstEventThatItListensTo) {
  host().subscribe_hooks(bus_);
  ASSERT_TRUE(bus_.ask({event_id::kSourceReceive, {}, {}}, context_));
  EXPECT_THAT(host().loaded(), IsEmpty());
  DeployEvent deploy{"shop", "push", "", "", 0, 0};
  ASSERT_TRUE(bus_.ask({event_id::kDeployBegin, &deploy, {}}, context_));
  EXPECT_THAT(host().loaded(), ElementsAre("fixture"));
  EXPECT_THAT(out_.headers, ElementsAre("fixture starts"));
}

TEST_F(PluginHostTest, AGateVetoesWithSlugMessageAndHint) {
  host().subscribe_hooks(bus_);
  DeployEvent deploy{"vetoed", "push", "", "", 0, 0};
  const auto answer = bus_.ask({event_id::kDeployBegin, &deploy, {}}, context_);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kDenied);
  EXPECT_EQ(answer.error().slug, "friday");
  EXPECT_EQ(answer.error().hint, "Wait for Monday");
  EXPECT_EQ(answer.error().text(), "plugin fixture: It is Friday");
}

TEST_F(PluginHostTest, AFilterEditsTheMap) {
  host().subscribe_hooks(bus_);
  TextMap env{{"UNWANTED", "1"}, {"KEPT", "2"}};
  EnvEvent payload{"shop", "build", "", env};
  ASSERT_TRUE(bus_.filter({event_id::kEnvResolve, &payload, {}}, context_));
  EXPECT_EQ(env, (TextMap{{"FROM_FIXTURE", "build"}, {"KEPT", "2"}}));
}

TEST_F(PluginHostTest, PayloadsAndFactsArriveTogether) {
  host().subscribe_hooks(bus_);
  ConfigEvent config{"shop", false, {{"KEY", Secret("value")}, {"OTHER", Secret("x")}}, {"GONE"}};
  ASSERT_TRUE(bus_.ask({event_id::kConfigChange, &config, {{"fact", "true"}, {"more", "1"}}}, context_));
  EXPECT_EQ(out_.results, "KEY=value;OTHER=x;fact=true;more=1;");
}

TEST_F(PluginHostTest, StepsLeaveATokenAndGetItBack) {
  host().subscribe_hooks(bus_);
  TextMap plan;
  RouteEvent route{
      "shop", "d1", {"shop.localhost"}, {{Endpoint::Kind::kTcp, "127.0.0.1", 20001, "", "i"}}, plan};
  const Event event{event_id::kRouteSwitch, &route, {}};
  Hook* hook = bus_.steps(event_id::kRouteSwitch).at(0);
  const auto token = hook->prepare(event, context_);
  ASSERT_TRUE(token);
  EXPECT_EQ(*token, "was:shop");
  ASSERT_TRUE(hook->apply(event, *token, context_));
  EXPECT_EQ(out_.results, "was:shop@127.0.0.1:20001");
  route.app = "greedy";
  EXPECT_EQ(hook->prepare(event, context_).error().slug, "token-too-large");
}

TEST_F(PluginHostTest, AnUnknownStatusIsAFailureAndAWordlessOneNamesThePlugin) {
  host().subscribe_hooks(bus_);
  TextMap plan;
  RouteEvent route{"shop", "d1", {}, {}, plan};
  const auto undone =
      bus_.steps(event_id::kRouteSwitch).at(0)->undo({event_id::kRouteSwitch, &route, {}}, "t", context_);
  ASSERT_FALSE(undone);
  EXPECT_EQ(undone.error().code, Code::kInternal);
  EXPECT_THAT(undone.error().message, HasSubstr("plugin fixture failed in route.switch (status 77)"));
}

TEST_F(PluginHostTest, CommandsGetTheirFlagsAndGiveTheirExitCode) {
  EXPECT_EQ(run("fixture:echo", {"--loud", "shop", "--format=json", "-n", "3", "--", "--raw"}),
            "shop --raw format=json;loud=;n=3;");
  EXPECT_EQ(last_code_, 5);
  EXPECT_THAT(run("fixture:echo", {}), HasSubstr("Please specify an app"));
  EXPECT_THAT(run("fixture:echo", {"a", "b", "c", "d"}), HasSubstr("at most 3"));
  EXPECT_EQ(last_error_.slug, "usage");
  EXPECT_THAT(last_error_.hint, HasSubstr("Usage: davit fixture:echo [--loud]"));
  EXPECT_THAT(run("fixture:echo", {"shop", "--lowd"}), HasSubstr("valid flags: --format, --loud, -n"));
  EXPECT_THAT(run("fixture:echo", {"shop", "--format"}), HasSubstr("--format needs a value"));
  EXPECT_THAT(run("fixture:echo", {"shop", "--loud=1"}), HasSubstr("--loud takes no value"));
  EXPECT_EQ(run("fixture:echo", {"shop", "-x", "-1"}), "shop -x -1 ");
  EXPECT_EQ(run("fixture:echo", {"shop", "--loud 1", "--raw a=b"}), "shop --loud 1 --raw a=b ") << "quoted";
  EXPECT_THAT(run("nobody:knows", {}), HasSubstr("`nobody:knows` is not a davit command."));
}

TEST_F(PluginHostTest, WhatAPluginSaysIsCleaned) {
  EXPECT_EQ(run("fixture:fail", {"bytes"}),
            "ERROR a b\xEF\xBF\xBD"
            "c d");
  EXPECT_EQ(last_error_.slug, "bad-bytes");
  EXPECT_EQ(last_error_.hint, "try  [31mred");
  EXPECT_EQ(last_error_.code, Code::kInvalid);
  run("fixture:fail", {"detail"});
  EXPECT_EQ(out_.details, "half a line\nand another");
  EXPECT_THAT(run("fixture:fail", {"status"}), HasSubstr("(status 9999) and did not say why"));
}

TEST_F(PluginHostTest, BuilderRuntimeProxyAndDoctorCrossTheBoundary) {
  Builder* builder = host().builders().value().at(0);
  EXPECT_EQ(builder->id(), "fixture");
  BuildInput input{.app = "shop",
                   .source_dir = "/s",
                   .cache_dir = "/c",
                   .work_dir = "/w",
                   .revision = {},
                   .source_unix_ms = 0,
                   .stack = "debian",
                   .request_id = {},
                   .env = {}};
  EXPECT_EQ(builder->detect(input, context_)->score, 100);
  const auto built = builder->build(input, context_);
  ASSERT_TRUE(built);
  EXPECT_EQ(built->artifact, (ArtifactRef{ArtifactRef::Kind::kSlug, "/w", "abc", "debian"}));
  EXPECT_EQ(built->process_types.at(1).first, "worker");
  EXPECT_EQ(built->launcher, (std::vector<std::string>{"/launch", "--"}));
  EXPECT_EQ(built->config_defaults.at("NODE_ENV"), "production");
  EXPECT_THAT(out_.steps, ElementsAre("Building"));

  Runtime* runtime = host().runtime("").value();
  Group group;
  group.owner = "shop", group.revision = "d1", group.process_type = "web", group.count = 2,
  group.listens = true, group.keep = true;
  group.argv = {"a", "b"}, group.env = {{"K", "v"}}, group.limits.memory_bytes = 64;
  ASSERT_TRUE(runtime->apply(group, context_));
  EXPECT_EQ(out_.results, "shop.d1.web=2 listens=1 keep=1 argv=2 env=1 memory=64");
  const auto instances = runtime->inspect({.owner = "shop", .revision = "d1"}, context_);
  ASSERT_EQ(instances->size(), 1U);
  EXPECT_EQ(instances->at(0).state, InstanceState::kUp);
  EXPECT_EQ(instances->at(0).exit_code, 137);
  EXPECT_EQ(instances->at(0).listening, Listening::kNo);
  EXPECT_EQ(instances->at(0).endpoints.at(0).port, 20001U);
  EXPECT_EQ(runtime->wait_change({.owner = "shop"}, 10, context_).error().code, Code::kCancelled);
  EXPECT_TRUE(runtime->remove({.owner = "shop"}, true, context_));
  EXPECT_EQ(runtime->remove({.owner = "shop"}, false, context_).error().code, Code::kUnavailable);
  std::vector<std::string> lines;
  ASSERT_TRUE(runtime->logs(
      {.owner = "shop"}, {false, 2, 0}, [&](const LogLine& line) { lines.push_back(line.text); }, context_));
  EXPECT_THAT(lines, ElementsAre("listening", "listening"));
  std::string heard;
  ExecRequest exec;
  exec.instance = "shop.d1.web.1";
  exec.out = [&](std::string_view bytes) { heard += bytes; };
  EXPECT_EQ(runtime->exec(exec, context_).value(), 4);
  EXPECT_EQ(heard, "shop.d1.web.1");
  EXPECT_THAT(runtime->list_owned(context_).value(), ElementsAre("app/shop/d1/web"));
  EXPECT_EQ(runtime->build_stack("shop", context_).value(), "shop");

  Proxy* proxy = host().proxy().value();
  ASSERT_NE(proxy, nullptr);
  Route route{"shop", "d1", {"shop.localhost"}, {{Endpoint::Kind::kTcp, "127.0.0.1", 1, "", ""}}, true};
  ASSERT_TRUE(proxy->ensure(context_));
  EXPECT_EQ(proxy->prepare(route, context_).value(), "shop.localhost");
  EXPECT_TRUE(proxy->apply(route, "t", context_));
  EXPECT_EQ(proxy->drain(route, 1, context_).error().code, Code::kTimeout);
  EXPECT_EQ(proxy->describe(context_)->at("mode"), "fixture");

  const auto findings = host().doctors().value().at(0)->examine(context_);
  ASSERT_EQ(findings->size(), 2U);
  EXPECT_EQ(findings->at(1).level, Finding::Level::kProblem);  // a level that nobody knows
}

TEST_F(PluginHostTest, WhoIsMissingIsNamed) {
  EXPECT_THAT(host().runtime("docker").error().message,
              HasSubstr("docker is not an enabled runtime (enabled: fixture)"));
  EXPECT_THAT(host().builder("x").error().hint, HasSubstr("plugin:enable x"));
}

TEST_F(PluginHostTest, AnEnabledPluginWithAProblemStopsTheWorkUnlessTolerated) {
  at_.configure("[plugins.fixture]\n[plugins.ghost]\n");
  const auto catalog = [&] { return PluginCatalog::read(at_.home, at_.installation).value(); };
  const auto refused = PluginHost::open(catalog(), services());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("plugin ghost is not installed"));
  EXPECT_TRUE(PluginHost::open(catalog(), services(), {.tolerate_problems = true}));
}

TEST_F(PluginHostTest, APluginThatFailsToStartSaysSoEachTimeWithHowToGoOn) {
  at_.install("fails", "hostile.so");
  at_.configure("[plugins.hostile]\n");
  // The hostile plugin has no hooks; give the catalog one by its note: a capability it does not have.
  auto catalog = PluginCatalog::read(at_.home, at_.installation).value();
  const_cast<CatalogEntry*>(catalog.find("hostile"))->note.hooks = {{"deploy.begin", 100}};
  host_ = PluginHost::open(std::move(catalog), services()).value();
  host_->subscribe_hooks(bus_);
  for (int i = 0; i < 2; ++i) {
    const auto answer = bus_.ask({event_id::kDeployBegin, {}, {}}, context_);
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error().text(), HasSubstr("plugin hostile did not start: No luck today"));
    EXPECT_THAT(answer.error().hint, HasSubstr("plugin:disable hostile"));
    EXPECT_EQ(answer.error().slug, "no-luck");
  }
}

TEST_F(PluginHostTest, AnInterfaceThatTheNotePromisesAndThePluginLacksIsNamed) {
  at_.install("plain", "hostile.so");
  at_.configure("[plugins.hostile]\n");
  auto catalog = PluginCatalog::read(at_.home, at_.installation).value();
  const_cast<CatalogEntry*>(catalog.find("hostile"))->note.provides = {"davit.proxy/1"};
  host_ = PluginHost::open(std::move(catalog), services()).value();
  EXPECT_EQ(host_->proxy().value()->ensure(context_).error().slug, "plugin-interface");
}

TEST_F(PluginHostTest, StoppingStopsWhatWasStarted) {
  run("fixture:echo", {"shop"});
  host().stop_all();
  EXPECT_THAT(host().loaded(), IsEmpty());
  EXPECT_EQ(store_->plugin_kv().get("fixture", AppId::kGlobal, "stopped").value(), "yes");
  EXPECT_THAT(run("fixture:echo", {"shop"}), HasSubstr("was stopped already"));
}

}  // namespace
}  // namespace davit
