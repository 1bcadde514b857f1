// Deployments that build nothing: config, restart, rollback, scale, stop, start, route, destroy.
#include <gmock/gmock.h>

#include "tests/scenario/world.hpp"

namespace davit::scenario {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Changes : public Story {
 protected:
  ConfigMap config() { return must(world.store().config().all(world.shop.id)); }
  Release live() { return *must(world.store().releases().current(world.shop.id)); }
};

TEST_F(Changes, NewConfigIsANewReleaseOfTheSameSlug) {
  must(world.push());
  const Release before = live();
  must(world.store().config().set_many(world.shop.id, {{"COLOR", Secret("blue")}}));
  must(world.deploy("config", R"({"description":"Set COLOR config vars"})"));
  const Release after = live();
  EXPECT_EQ(after.version, 2U);
  EXPECT_EQ(after.spec.artifact.digest, before.spec.artifact.digest);
  EXPECT_EQ(after.spec.description, "Set COLOR config vars");
  EXPECT_EQ(world.plugins.runtime_fake.groups.at("shop.d2.web").env.at("COLOR"), "blue");
  EXPECT_THAT(world.answering(), ElementsAre("shop.d2.web.1"));
  EXPECT_EQ(std::count(world.record.calls.begin(), world.record.calls.end(), "builder.build shop"), 1);
}

TEST_F(Changes, ConfigRunsNoReleaseCommand) {
  world.plugins.builder_fake.output.process_types.emplace_back("release", "migrate");
  must(world.push());
  must(world.deploy("config"));
  must(world.deploy("rollback"));
  EXPECT_EQ(world.plugins.runtime_fake.tasks.size(), 1U);
}

TEST_F(Changes, ARestartMakesNoRelease) {
  must(world.push());
  must(world.deploy("restart"));
  EXPECT_EQ(live().version, 1U);
  EXPECT_THAT(world.instances(), ElementsAre("shop.d2.web.1"));
  EXPECT_THAT(world.answering(), ElementsAre("shop.d2.web.1"));
}

TEST_F(Changes, BeforeTheFirstPushThereIsNothingToChange) {
  for (const char* kind : {"config", "restart", "start", "scale"}) {
    const auto done = world.deploy(kind);
    ASSERT_FALSE(done) << kind;
    EXPECT_EQ(done.error().slug, "not-deployed") << kind;
  }
  const auto done = world.deploy("rollback");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().slug, "no-previous-release");
}

TEST_F(Changes, ARollbackBringsSlugAndConfigBack) {
  must(world.store().config().set_many(world.shop.id, {{"COLOR", Secret("red")}}));
  must(world.push(kFirst));
  must(world.store().config().set_many(world.shop.id, {{"COLOR", Secret("blue")}, {"NEW", Secret("1")}}));
  must(world.push(kSecond));

  must(world.deploy("rollback"));
  const Release release = live();
  EXPECT_EQ(release.version, 3U);
  EXPECT_EQ(release.spec.revision, kFirst);
  EXPECT_EQ(release.spec.description, "Rollback to v1");
  EXPECT_EQ(world.plugins.runtime_fake.groups.at("shop.d3.web").env.at("COLOR"), "red");
  EXPECT_EQ(config().at("COLOR").reveal(), "red");
  EXPECT_EQ(config().count("NEW"), 0U);

  must(world.deploy("rollback"));
  EXPECT_EQ(live().spec.revision, kSecond) << "a rollback of the rollback is the second one again";
}

TEST_F(Changes, ARollbackLeavesGlobalConfigGlobal) {
  must(world.store().config().set_many(AppId::kGlobal, {{"REGION", Secret("eu")}}));
  must(world.push(kFirst));
  must(world.push(kSecond));
  must(world.deploy("rollback"));
  EXPECT_THAT(config(), IsEmpty());
}

TEST_F(Changes, ARollbackDoesNotTurnTheBuildsDefaultsIntoSettings) {
  world.plugins.builder_fake.output.config_defaults = {{"LANG", "C"}};
  must(world.push(kFirst));
  must(world.push(kSecond));
  must(world.deploy("rollback"));
  EXPECT_EQ(world.plugins.runtime_fake.groups.at("shop.d3.web").env.at("LANG"), "C");
  EXPECT_THAT(config(), IsEmpty());
}

TEST_F(Changes, ARollbackLeavesScaleAndDomainsAlone) {
  must(world.push(kFirst));
  must(world.store().formation().set_many(world.shop.id, {{"web", 2}}));
  must(world.store().domains().add(world.shop.id, {"shop.test"}));
  must(world.push(kSecond));
  must(world.deploy("rollback"));
  EXPECT_THAT(world.instances(), ElementsAre("shop.d3.web.1", "shop.d3.web.2"));
  EXPECT_THAT(world.plugins.proxy_fake.routes.at("shop").hosts, ElementsAre("shop.test"));
}

TEST_F(Changes, ARollbackWithScaleAndDomainsBringsThemBack) {
  must(world.store().formation().set_many(world.shop.id, {{"web", 3}}));
  must(world.store().domains().add(world.shop.id, {"old.test"}));
  must(world.push(kFirst));
  must(world.store().formation().set_many(world.shop.id, {{"web", 1}}));
  must(world.store().domains().assign(world.shop.id, {"new.test"}));
  must(world.push(kSecond));

  must(world.deploy("rollback", R"({"with_scale":true,"with_domains":true})"));
  EXPECT_THAT(world.instances(), ElementsAre("shop.d3.web.1", "shop.d3.web.2", "shop.d3.web.3"));
  EXPECT_THAT(world.plugins.proxy_fake.routes.at("shop").hosts, ElementsAre("old.test"));
  EXPECT_EQ(must(world.store().formation().get(world.shop.id)).at("web"), 3U);
  EXPECT_THAT(must(world.store().domains().list(world.shop.id)), ElementsAre("old.test"));
}

TEST_F(Changes, ARollbackToATimeWithoutDomainsAnswersAtTheDefaultName) {
  must(world.push(kFirst));
  must(world.store().domains().add(world.shop.id, {"new.test"}));
  must(world.push(kSecond));
  must(world.deploy("rollback", R"({"with_domains":true})"));
  EXPECT_THAT(world.plugins.proxy_fake.routes.at("shop").hosts, ElementsAre("shop.example.com"));
  EXPECT_THAT(must(world.store().domains().list(world.shop.id)), IsEmpty());
}

TEST_F(Changes, ARollbackToAReleaseThatNeverLivedIsRefused) {
  must(world.push(kFirst));
  world.plugins.builder_fake.output.process_types.emplace_back("release", "migrate");
  world.plugins.runtime_fake.on_task = [](const TaskRequest&) { return 1; };
  ASSERT_FALSE(world.push(kSecond));
  const auto done = world.deploy("rollback", R"({"version":2})");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().slug, "never-live");
  const auto missing = world.deploy("rollback", R"({"version":99})");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().slug, "release-not-found");
}

TEST_F(Changes, ScalingUpStartsOnlyWhatIsMissing) {
  must(world.push());
  const Instance first = world.plugins.runtime_fake.instances.front();
  must(world.deploy("scale", R"({"formation":{"web":3}})"));
  EXPECT_THAT(world.instances(), ElementsAre("shop.d1.web.1", "shop.d1.web.2", "shop.d1.web.3"));
  EXPECT_THAT(world.answering(), ElementsAre("shop.d1.web.1", "shop.d1.web.2", "shop.d1.web.3"));
  EXPECT_EQ(world.plugins.runtime_fake.instances.front().endpoints, first.endpoints);
  EXPECT_EQ(live().version, 1U);
  EXPECT_EQ(must(world.store().formation().get(world.shop.id)).at("web"), 3U);
}

TEST_F(Changes, AScaleLeavesAloneWhatRunsWithOtherSettings) {
  must(world.push());
  const Instance first = world.plugins.runtime_fake.instances.front();
  must(world.store().properties().set(world.shop.id, "resource", "_default_.limit.pids", "200"));
  must(world.store().properties().set(world.shop.id, "ps", "stop-timeout-seconds", "7"));
  must(world.deploy("scale", R"({"formation":{"web":3}})"));
  EXPECT_EQ(world.plugins.runtime_fake.groups.at("shop.d1.web").limits.pids, 200U) << "for the new ones";
  EXPECT_EQ(world.plugins.runtime_fake.instances.front().endpoints, first.endpoints);
  must(world.store().properties().set(world.shop.id, "ps", "stop-timeout-seconds", "8"));
  must(world.deploy("scale", R"({"formation":{"web":1}})"));
  EXPECT_EQ(world.plugins.runtime_fake.instances.front().endpoints, first.endpoints);
  EXPECT_EQ(world.answering().size(), 1U);
}

TEST_F(Changes, AScaleThatIsTakenBackLeavesAloneWhatRunsWithOtherSettings) {
  must(world.push());
  const Instance first = world.plugins.runtime_fake.instances.front();
  must(world.store().properties().set(world.shop.id, "ps", "stop-timeout-seconds", "7"));
  world.plugins.runtime_fake.exits_at_start = 2;
  ASSERT_FALSE(world.deploy("scale", R"({"formation":{"web":3}})"));
  ASSERT_EQ(world.plugins.runtime_fake.instances.size(), 1U);
  EXPECT_EQ(world.plugins.runtime_fake.instances.front().endpoints, first.endpoints);
}

TEST_F(Changes, ScalingDownTakesRequestsAwayFirst) {
  must(world.store().formation().set_many(world.shop.id, {{"web", 3}}));
  must(world.push());
  std::vector<std::string> alive_at_switch;
  world.record.on("proxy.apply", [&] { alive_at_switch = world.instances(); });
  must(world.deploy("scale", R"({"formation":{"web":1}})"));
  EXPECT_EQ(alive_at_switch.size(), 3U);
  EXPECT_THAT(world.instances(), ElementsAre("shop.d1.web.1"));
  EXPECT_THAT(world.answering(), ElementsAre("shop.d1.web.1"));
  EXPECT_THAT(world.record.calls, Contains("proxy.drain shop.d1=2"));
  EXPECT_EQ(must(world.store().live_groups().live(world.shop.id)).front().count, 1U);
}

TEST_F(Changes, ScalingDownKeepsTheLockUntilItIsDone) {
  must(world.store().formation().set_many(world.shop.id, {{"web", 3}}));
  must(world.push());
  bool early = false;
  world.record.on("proxy.drain", [&] { early = !world.phases.empty(); });
  must(world.deploy("scale", R"({"formation":{"web":1}})"));
  EXPECT_FALSE(early) << "another deployment could begin, whose instances this one would then stop";
  EXPECT_EQ(world.phases.size(), 1U);
}

TEST_F(Changes, ScalingWebToNoneLeavesTheRouteWithoutInstances) {
  must(world.push());
  must(world.deploy("scale", R"({"formation":{"web":0}})"));
  EXPECT_THAT(world.instances(), IsEmpty());
  EXPECT_THAT(world.answering(), IsEmpty());
  must(world.deploy("scale", R"({"formation":{"web":1}})"));
  EXPECT_EQ(world.answering().size(), 1U);
}

TEST_F(Changes, ScalingAWorkerLeavesTheWebAlone) {
  must(world.push());
  must(world.deploy("scale", R"({"formation":{"worker":2}})"));
  EXPECT_THAT(world.instances(), ElementsAre("shop.d1.web.1", "shop.d1.worker.1", "shop.d1.worker.2"));
  EXPECT_THAT(world.answering(), ElementsAre("shop.d1.web.1"));
}

TEST_F(Changes, AStoppedAppRunsNothingAndStartsAgain) {
  must(world.push());
  must(world.deploy("stop"));
  EXPECT_THAT(world.instances(), IsEmpty());
  EXPECT_THAT(world.answering(), IsEmpty());
  EXPECT_EQ(live().version, 1U);
  EXPECT_EQ(must(world.store().properties().get(world.shop.id, "ps", "stopped")), "true");
  must(world.deploy("start"));
  EXPECT_THAT(world.answering(), ElementsAre("shop.d3.web.1"));
  EXPECT_EQ(must(world.store().properties().get(world.shop.id, "ps", "stopped")), std::nullopt);
}

TEST_F(Changes, AStopDrainsBeforeItStops) {
  must(world.push());
  must(world.deploy("stop"));
  const auto& calls = world.record.calls;
  const auto drained = std::find(calls.begin(), calls.end(), "proxy.drain shop.d1=1");
  ASSERT_NE(drained, calls.end());
  EXPECT_NE(std::find(drained, calls.end(), "runtime.remove shop.d1"), calls.end());
}

TEST_F(Changes, NewDomainsAreARouteAndNoInstance) {
  must(world.push());
  must(world.store().domains().add(world.shop.id, {"shop.test"}));
  must(world.deploy("route"));
  EXPECT_THAT(world.plugins.proxy_fake.routes.at("shop").hosts, ElementsAre("shop.test"));
  EXPECT_THAT(world.answering(), ElementsAre("shop.d1.web.1"));
  EXPECT_EQ(live().version, 1U);
}

TEST_F(Changes, ADestroyedAppLeavesNothing) {
  must(world.push());
  std::filesystem::create_directories(world.home.cache("shop"));
  must(world.deploy("destroy"));
  EXPECT_THAT(world.instances(), IsEmpty());
  EXPECT_TRUE(world.plugins.runtime_fake.groups.empty());
  EXPECT_TRUE(world.plugins.proxy_fake.routes.empty());
  EXPECT_FALSE(must(world.store().apps().exists("shop")));
  EXPECT_FALSE(std::filesystem::exists(world.home.slugs("shop")));
  EXPECT_FALSE(std::filesystem::exists(world.home.cache("shop")));
  EXPECT_THAT(world.sources.removed, ElementsAre("shop"));
  EXPECT_EQ(world.state(), DeploymentState::kDone);
}

TEST_F(Changes, ADestroyEndsDetachedRunsOnEveryRuntimeAndForgetsLogs) {
  must(world.push());
  world.begin_run(world.plugins.runtime_fake, "r1");
  must(world.store().properties().set(world.shop.id, "ps", "runtime", "other-runtime"));
  must(world.deploy("restart"));
  world.begin_run(world.plugins.other_runtime, "r2");
  std::filesystem::create_directories(world.home.logs() / "apps" / "shop" / "d1.web.1");
  must(world.deploy("destroy"));
  EXPECT_THAT(world.instances(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(world.home.logs() / "apps" / "shop"));
  EXPECT_FALSE(std::filesystem::exists(world.home.lock(":run:shop")));
}

TEST_F(Changes, ARuntimeThatTheAppHasLeftCannotKeepItForGood) {
  must(world.push());
  must(world.store().properties().set(world.shop.id, "ps", "runtime", "other-runtime"));
  must(world.deploy("restart"));
  unsigned asked = 0;
  world.record.on("runtime.remove", [&] {
    if (world.record.calls.back() == "runtime.remove shop" && ++asked == 2)
      world.record.fail_next("runtime.remove", Error{Code::kUnavailable, "no engine answers", {}, {}, {}});
  });
  must(world.deploy("destroy"));
  EXPECT_EQ(asked, 2U);
  EXPECT_FALSE(must(world.store().apps().exists("shop")));
  EXPECT_THAT(world.out.warnings, Contains(HasSubstr("no engine answers")));
}

TEST_F(Changes, AnAppThatNeverRanCanBeDestroyed) {
  must(world.deploy("destroy"));
  EXPECT_FALSE(must(world.store().apps().exists("shop")));
}

TEST_F(Changes, ADestroyKeepsTheLockUntilTheAppIsGone) {
  must(world.push());
  std::optional<bool> existed;
  must(world.store().properties().set(world.shop.id, "ps", "x", "y"));
  world.record.on("sources.remove", [&] { existed = !world.phases.empty(); });
  must(world.deploy("destroy"));
  ASSERT_TRUE(existed.has_value());
  EXPECT_FALSE(*existed) << "a push in between would start instances that nobody knows afterwards";
  EXPECT_EQ(world.phases.size(), 1U);
}

TEST_F(Changes, AnUnknownKindIsAnEndNotAQueue) {
  const auto done = world.deploy("sing");
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("sing"));
  EXPECT_EQ(world.state(), DeploymentState::kFailed);
}

}  // namespace
}  // namespace davit::scenario
