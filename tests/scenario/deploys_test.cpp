// Deploys that go well: the first, the next, with workers, without web, with a release command.
#include <gmock/gmock.h>

#include "base/text.hpp"
#include "lifecycle/processes.hpp"
#include "tests/scenario/world.hpp"

namespace davit::scenario {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Deploys : public Story {};

TEST_F(Deploys, TheFirstPushAnswers) {
  must(world.store().config().set_many(world.shop.id, {{"COLOR", Secret("red")}}));
  must(world.push());

  EXPECT_EQ(world.state(), DeploymentState::kDone);
  EXPECT_THAT(world.instances(), ElementsAre("shop.d1.web.1"));
  EXPECT_THAT(world.answering(), ElementsAre("shop.d1.web.1"));
  const Route& route = world.plugins.proxy_fake.routes.at("shop");
  EXPECT_THAT(route.hosts, ElementsAre("shop.example.com"));

  const Release release = *must(world.store().releases().current(world.shop.id));
  EXPECT_EQ(release.version, 1U);
  EXPECT_EQ(release.spec.revision, kFirst);
  EXPECT_EQ(release.spec.builder, "fake-builder");
  EXPECT_EQ(release.spec.runtime, "fake-runtime");
  EXPECT_EQ(release.spec.source, "git push main");
  EXPECT_EQ(release.spec.actor, "local:ada");
  EXPECT_EQ(release.spec.config.at("COLOR").reveal(), "red");
  EXPECT_EQ(must(world.store().journal().get("d1")).to_version, 1U);

  const Group& group = world.plugins.runtime_fake.groups.at("shop.d1.web");
  EXPECT_THAT(group.argv, ElementsAre("/exec", "bash", "-c", "serve"));
  EXPECT_EQ(group.env.at("COLOR"), "red");
  EXPECT_TRUE(group.listens);
  EXPECT_EQ(group.artifact.ref, (world.home.root / release.spec.artifact.ref).string());
  EXPECT_TRUE(std::filesystem::exists(group.artifact.ref));
}

TEST_F(Deploys, NothingIsLeftOfTheWork) {
  must(world.push());
  EXPECT_FALSE(std::filesystem::exists(world.home.work("d1")));
  EXPECT_EQ(world.sources.refs.at("refs/heads/main"), kFirst);
}

TEST_F(Deploys, TheLimitsOfATreeReachItsCheckout) {
  must(world.push());
  EXPECT_EQ(world.sources.last_limits.max_tree_bytes, 1024ULL * 1024 * 1024);
  EXPECT_EQ(world.sources.last_limits.max_files, 200'000U);
  must(world.store().properties().set(world.shop.id, "git", "max-tree-bytes", "5000"));
  must(world.store().properties().set(world.shop.id, "git", "max-files", "0"));
  must(world.push(kSecond));
  EXPECT_EQ(world.sources.last_limits.max_tree_bytes, 5'000U);
  EXPECT_EQ(world.sources.last_limits.max_files, 0U) << "no limit";
}

TEST_F(Deploys, TheNextPushReplacesTheFirst) {
  must(world.push(kFirst));
  must(world.push(kSecond));
  EXPECT_THAT(world.answering(), ElementsAre("shop.d2.web.1"));
  EXPECT_THAT(world.instances(), ElementsAre("shop.d2.web.1"));
  EXPECT_EQ(must(world.store().releases().get(world.shop.id, 1)).state, ReleaseState::kSuperseded);
  EXPECT_EQ(must(world.store().releases().get(world.shop.id, 2)).state, ReleaseState::kLive);
  EXPECT_THAT(world.record.calls, Contains("proxy.drain shop.d1=1"));
}

TEST_F(Deploys, TheOldInstancesLiveUntilTheSwitchIsMade) {
  must(world.push(kFirst));
  std::vector<std::string> at_switch;
  world.record.on("proxy.apply", [&] { at_switch = world.instances(); });
  must(world.push(kSecond));
  EXPECT_THAT(at_switch, ElementsAre("shop.d1.web.1", "shop.d2.web.1"));
}

TEST_F(Deploys, ThePushEndsBeforeTheDrain) {
  must(world.push(kFirst));
  std::vector<std::string> phases_at_drain;
  world.record.on("proxy.drain", [&] { phases_at_drain = world.phases; });
  must(world.push(kSecond));
  EXPECT_EQ(phases_at_drain.size(), 1U) << "the lock is let go before the drain begins";
  EXPECT_EQ(world.phases.size(), 1U);
}

TEST_F(Deploys, WorkersComeAndGoWithTheWeb) {
  must(world.store().formation().set_many(world.shop.id, {{"web", 2}, {"worker", 1}}));
  must(world.push(kFirst));
  EXPECT_THAT(world.instances(), ElementsAre("shop.d1.web.1", "shop.d1.web.2", "shop.d1.worker.1"));
  EXPECT_THAT(world.answering(), ElementsAre("shop.d1.web.1", "shop.d1.web.2"));
  EXPECT_FALSE(world.plugins.runtime_fake.groups.at("shop.d1.worker").listens);
  must(world.push(kSecond));
  EXPECT_THAT(world.instances(), ElementsAre("shop.d2.web.1", "shop.d2.web.2", "shop.d2.worker.1"));
}

TEST_F(Deploys, AnAppWithoutWebRunsAndIsSaidToBeSilent) {
  world.plugins.builder_fake.output.process_types = {{"worker", "work"}};
  must(world.store().formation().set_many(world.shop.id, {{"worker", 1}}));
  must(world.push());
  EXPECT_EQ(world.state(), DeploymentState::kDone);
  EXPECT_THAT(world.instances(), ElementsAre("shop.d1.worker.1"));
  EXPECT_THAT(world.answering(), IsEmpty());
  EXPECT_THAT(world.out.warnings, ElementsAre(HasSubstr("no web process")));
}

TEST_F(Deploys, WhatNobodySaidTheNumberOfIsToldOfOnce) {
  world.plugins.builder_fake.output.process_types = {
      {"worker", "work"}, {"clock", "tick"}, {"release", "migrate"}};
  must(world.store().formation().set_many(world.shop.id, {{"clock", 0}}));
  must(world.push());
  EXPECT_THAT(world.out.warnings, ElementsAre(HasSubstr("no web process"),
                                              HasSubstr("worker: none runs, as nobody said how many. davit "
                                                        "ps:scale shop worker=1")));
  world.out.warnings.clear();
  must(world.push());
  EXPECT_THAT(world.out.warnings, ElementsAre(HasSubstr("no web process")));
}

TEST_F(Deploys, ATypeThatGotAnotherNameIsToldOf) {
  must(world.store().formation().set_many(world.shop.id, {{"worker", 3}}));
  must(world.push(kFirst));
  EXPECT_THAT(world.out.warnings, IsEmpty());
  world.plugins.builder_fake.output.process_types = {{"web", "serve"}, {"jobs", "work"}};
  must(world.push(kSecond));
  const auto lost =
      HasSubstr("The formation has worker=3, and the release no such process type: it has jobs, web");
  const auto unsaid = HasSubstr("ps:scale shop jobs=1");
  EXPECT_THAT(world.out.warnings, ElementsAre(lost, unsaid));
  world.out.warnings.clear();
  must(world.deploy("config"));
  must(world.deploy("rollback", R"({"version":1})"));
  EXPECT_THAT(world.out.warnings, IsEmpty());
  must(world.deploy("rollback", R"({"version":2})"));
  EXPECT_THAT(world.out.warnings, ElementsAre(lost, unsaid));
}

TEST_F(Deploys, AQuantityFromBeforeTheFirstPushOfATypeThatThereIsNotIsToldOf) {
  must(world.store().formation().set_many(world.shop.id, {{"worker", 0}, {"wroker", 2}}));
  must(world.push());
  EXPECT_THAT(world.out.warnings, ElementsAre(HasSubstr("The formation has wroker=2")));
}

TEST_F(Deploys, ARollbackToAReleaseWithoutWebIsMeant) {
  world.plugins.builder_fake.output.process_types = {{"worker", "work"}};
  must(world.push(kFirst));
  world.plugins.builder_fake.output.process_types = {{"web", "serve"}, {"worker", "work"}};
  must(world.push(kSecond));
  must(world.deploy("rollback"));
  EXPECT_THAT(world.answering(), IsEmpty());
}

TEST_F(Deploys, NoProxyMeansNoRoutes) {
  world.plugins.has_proxy = false;
  must(world.push(kFirst));
  world.out.warnings.clear();
  must(world.push(kSecond));
  EXPECT_THAT(world.instances(), ElementsAre("shop.d2.web.1"));
  EXPECT_TRUE(world.plugins.proxy_fake.routes.empty());
  EXPECT_THAT(world.out.warnings, ElementsAre(HasSubstr("No proxy is enabled")));
  must(world.deploy("stop"));
  EXPECT_EQ(world.out.warnings.size(), 1U) << "there is nothing to tell of";
}

TEST_F(Deploys, TheReleaseCommandRunsBeforeAnythingStarts) {
  world.plugins.builder_fake.output.process_types.emplace_back("release", "migrate");
  must(world.store().config().set_many(world.shop.id, {{"DB", Secret("here")}}));
  std::vector<std::string> running;
  world.plugins.runtime_fake.on_task = [&](const TaskRequest&) {
    running = world.instances();
    return 0;
  };
  must(world.push());
  ASSERT_EQ(world.plugins.runtime_fake.tasks.size(), 1U);
  const TaskRequest& task = world.plugins.runtime_fake.tasks.front();
  EXPECT_THAT(task.argv, ElementsAre("/exec", "bash", "-c", "migrate"));
  EXPECT_EQ(task.env.at("DB"), "here");
  EXPECT_THAT(running, IsEmpty());
  EXPECT_THAT(world.instances(), ElementsAre("shop.d1.web.1")) << "a release process is not launched";
}

TEST_F(Deploys, ARebuildTakesTheLiveRevision) {
  must(world.push(kSecond));
  must(world.deploy("rebuild"));
  EXPECT_EQ(world.state(), DeploymentState::kDone);
  const Release release = *must(world.store().releases().current(world.shop.id));
  EXPECT_EQ(release.version, 2U);
  EXPECT_EQ(release.spec.revision, kSecond);
}

TEST_F(Deploys, ARebuildOfNothingSaysWhatToDo) {
  const auto done = world.deploy("rebuild");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().slug, "nothing-to-build");
  EXPECT_THAT(done.error().hint, HasSubstr("git push"));
  EXPECT_EQ(world.state(), DeploymentState::kFailed);
}

TEST_F(Deploys, StepsOfPluginsRunForEveryProcessType) {
  world.add_hooks();
  must(world.store().formation().set_many(world.shop.id, {{"worker", 1}}));
  must(world.push());
  EXPECT_EQ(world.state(), DeploymentState::kDone);
  const auto starts =
      std::count(world.record.calls.begin(), world.record.calls.end(), "hook.apply acme process.start");
  EXPECT_EQ(starts, 2) << "web and worker";
  EXPECT_EQ(world.marks.size(), 5U);
}

TEST_F(Deploys, EachPhaseIsInTheJournalInOrder) {
  must(world.push());
  std::vector<std::string> steps;
  for (const Step& step : must(world.store().journal().steps("d1"))) {
    EXPECT_EQ(step.state, StepState::kApplied) << step.hook;
    steps.push_back(step.phase + " " + step.plugin + " " + step.hook);
  }
  EXPECT_THAT(steps,
              ElementsAre("fetch host source.checkout", "build host build.run", "release host release.create",
                          "launch host process.start", "switch fake-proxy proxy.route"));
}

TEST_F(Deploys, SlugsOfForgottenReleasesGo) {
  constexpr int kPushes = 14;
  for (int i = 0; i < kPushes; ++i) {
    const std::string revision = std::string(39, 'a') + static_cast<char>('a' + i);
    world.sources.trees[revision] = {{"n", revision}};
    must(world.push(revision));
  }
  const auto refs = must(world.store().releases().artifact_refs(world.shop.id));
  EXPECT_LT(refs.size(), static_cast<std::size_t>(kPushes));
  EXPECT_EQ(world.slug_files().size(), refs.size());
  EXPECT_TRUE(std::filesystem::exists(
      world.home.root / must(world.store().releases().current(world.shop.id))->spec.artifact.ref));
}

TEST_F(Deploys, TheSameTreeTwiceIsOneSlug) {
  must(world.push(kFirst));
  must(world.deploy("rebuild"));
  EXPECT_EQ(world.slug_files().size(), 1U);
  EXPECT_TRUE(std::filesystem::exists(
      world.home.root / must(world.store().releases().current(world.shop.id))->spec.artifact.ref));
}

TEST_F(Deploys, DefaultsOfTheBuildComeUnderWhatUsersSet) {
  world.plugins.builder_fake.output.config_defaults = {{"LANG", "C"}, {"RACK_ENV", "production"}};
  must(world.store().config().set_many(world.shop.id, {{"RACK_ENV", Secret("staging")}}));
  must(world.push());
  const auto env = [&] { return world.plugins.runtime_fake.groups.begin()->second.env; };
  EXPECT_EQ(env().at("LANG"), "C");
  EXPECT_EQ(env().at("RACK_ENV"), "staging");

  must(world.store().config().set_many(world.shop.id, {{"MORE", Secret("1")}}));
  must(world.deploy("config"));
  EXPECT_EQ(env().at("LANG"), "C") << "a release of the same artifact keeps the artifact's defaults";
  EXPECT_EQ(env().at("MORE"), "1");

  must(world.store().config().unset_many(world.shop.id, {"RACK_ENV", "MORE"}));
  must(world.deploy("config"));
  EXPECT_EQ(env().at("RACK_ENV"), "production") << "unset: the default shows again";
  EXPECT_EQ(env().count("MORE"), 0U);
}

}  // namespace
}  // namespace davit::scenario
