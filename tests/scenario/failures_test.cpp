// Every way in which a phase can fail before the switch: the running release keeps answering, and what was
// begun is taken back.
#include <gmock/gmock.h>

#include <fstream>

#include "tests/scenario/world.hpp"

namespace davit::scenario {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

const Error kBroken{Code::kFailed, "it broke", "mend it", "broken", {}};

class Failures : public Story {
 protected:
  void SetUp() override {
    must(world.store().config().set_many(world.shop.id, {{"COLOR", Secret("red")}}));
    must(world.store().formation().set_many(world.shop.id, {{"web", 2}, {"worker", 1}}));
    must(world.push(kFirst));
    before_ = world.picture();
  }

  // The push fails with this slug, and nothing is different from before.
  void expect_no_trace(const std::string& slug, DeploymentState state = DeploymentState::kUndone) {
    const auto done = world.push(kSecond);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().slug, slug) << done.error().text();
    EXPECT_EQ(world.state(), state);
    ASSERT_TRUE(world.last().error);
    EXPECT_EQ(world.last().error->slug, slug);
    EXPECT_EQ(world.picture(), before_);
    EXPECT_TRUE(world.phases.empty()) << "nobody may be told that it was committed";
    // And the next one is none the worse for it.
    must(world.push(kSecond));
    EXPECT_EQ(world.state(), DeploymentState::kDone);
  }

  std::vector<std::string> before_;
};

TEST_F(Failures, AVetoAtTheBeginning) {
  auto hook = std::make_unique<fakes::FakeHook>(world.record, world.marks, "guardian");
  auto* gate = hook.get();
  gate->on_handle = [gate](const Event&) -> Result<> {
    gate->on_handle = nullptr;
    return fail(Code::kDenied, "Not on Fridays", "Come on Monday", "friday");
  };
  world.bus.subscribe(event_id::kDeployBegin, std::move(hook));
  expect_no_trace("friday", DeploymentState::kFailed);
}

TEST_F(Failures, ObjectsThatCannotBeKept) {
  world.record.fail_next("sources.keep", kBroken);
  expect_no_trace("broken");
}

TEST_F(Failures, ATreeThatIsRefused) {
  world.record.fail_after("sources.check_out", {Code::kInvalid, "a link leads outside", "", "tree-link", {}});
  expect_no_trace("tree-link");
}

TEST_F(Failures, ABrokenAppJson) {
  world.sources.trees[kSecond]["app.json"] = "{";
  const auto done = world.push(kSecond);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().slug, "app-json-invalid");
  EXPECT_EQ(world.picture(), before_);
}

TEST_F(Failures, AnAppJsonThatIsTooLarge) {
  world.sources.trees[kSecond]["app.json"] = std::string(2 * 1024 * 1024, ' ');
  ASSERT_FALSE(world.push(kSecond));
  EXPECT_EQ(world.picture(), before_);
}

TEST_F(Failures, ABrokenChecksFile) {
  world.sources.trees[kSecond]["CHECKS"] = "no path\n";
  const auto done = world.push(kSecond);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().slug, "checks-invalid");
  EXPECT_EQ(world.picture(), before_);
}

TEST_F(Failures, NoBuilderWantsIt) {
  world.plugins.builder_fake.detection = {0, "no Procfile"};
  const auto done = world.push(kSecond);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().slug, "not-detected");
  EXPECT_THAT(done.error().hint, HasSubstr("fake-builder: no Procfile"));
  EXPECT_EQ(world.picture(), before_);
}

TEST_F(Failures, TwoBuildersWantItAlike) {
  world.plugins.more_builders.push_back(std::make_unique<fakes::FakeBuilder>(world.record, "other"));
  const auto done = world.push(kSecond);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().slug, "detect-tie");
  EXPECT_THAT(done.error().message, HasSubstr("fake-builder and other"));
  EXPECT_EQ(world.picture(), before_);
  must(world.store().properties().set(world.shop.id, "ps", "builder", "fake-builder"));
  must(world.push(kSecond));
}

TEST_F(Failures, TheBestScoreBuilds) {
  auto other = std::make_unique<fakes::FakeBuilder>(world.record, "other");
  other->detection.score = 101;
  auto* chosen = other.get();
  world.plugins.more_builders.push_back(std::move(other));
  world.record.fail_next("builder.build", kBroken);
  ASSERT_FALSE(world.push(kSecond));
  EXPECT_EQ(chosen->last_input.revision, kSecond);
}

TEST_F(Failures, TheChosenBuilderIsNotThere) {
  must(world.store().properties().set(world.shop.id, "ps", "builder", "gone"));
  const auto done = world.push(kSecond);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().slug, "plugin-not-enabled");
}

TEST_F(Failures, DetectFails) {
  world.record.fail_next("builder.detect", kBroken);
  expect_no_trace("broken");
}

TEST_F(Failures, TheBuildFails) {
  world.record.fail_next("builder.build", kBroken);
  expect_no_trace("broken");
}

TEST_F(Failures, TheBuildFailsAfterItsWork) {
  world.record.fail_after("builder.build", kBroken);
  expect_no_trace("broken");
}

TEST_F(Failures, TheBuildLeavesNoSlug) {
  auto build = world.plugins.builder_fake.on_build;
  world.plugins.builder_fake.on_build = [&](const BuildInput& input) {
    build(input);
    std::filesystem::remove(world.plugins.builder_fake.output.artifact.ref);
  };
  ASSERT_FALSE(world.push(kSecond));
  EXPECT_EQ(world.picture(), before_);
}

TEST_F(Failures, TheNewReleaseHasNoWeb) {
  auto& types = world.plugins.builder_fake.output.process_types;
  types = {{"wbe", "serve"}, {"worker", "work"}, {"release", "migrate"}};
  const auto done = world.push(kSecond);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().slug, "web-missing");
  EXPECT_THAT(done.error().message, HasSubstr("it has wbe, worker"));
  EXPECT_THAT(done.error().hint, HasSubstr("davit ps:scale shop web=0"));
  EXPECT_EQ(world.picture(), before_);
  EXPECT_TRUE(world.plugins.runtime_fake.tasks.empty()) << "nothing of it ran";
  must(world.deploy("stop"));
  ASSERT_FALSE(world.push(kSecond)) << "a push would start what is stopped";
  types.erase(types.begin());
  must(world.deploy("start"));
  must(world.deploy("scale", R"({"formation":{"web":0}})"));
  must(world.push(kSecond));
  EXPECT_EQ(world.instances().size(), 1U) << "the worker, as it was said that web is 0";
}

TEST_F(Failures, TheReleaseCommandFails) {
  world.plugins.builder_fake.output.process_types.emplace_back("release", "migrate");
  world.plugins.runtime_fake.on_task = [this](const TaskRequest& task) {
    task.out("no such table\n");
    world.plugins.runtime_fake.on_task = nullptr;
    return 3;
  };
  expect_no_trace("release-command-failed");
  EXPECT_THAT(world.out.details, HasSubstr("no such table"));
}

TEST_F(Failures, AReleaseWhoseCommandFailedIsShownAsFailed) {
  world.plugins.builder_fake.output.process_types.emplace_back("release", "migrate");
  world.plugins.runtime_fake.on_task = [](const TaskRequest&) { return 1; };
  ASSERT_FALSE(world.push(kSecond));
  EXPECT_EQ(must(world.store().releases().get(world.shop.id, 2)).state, ReleaseState::kFailed);
  EXPECT_EQ(must(world.store().releases().current(world.shop.id))->version, 1U);
}

TEST_F(Failures, TheReleaseCommandCannotBeRun) {
  world.plugins.builder_fake.output.process_types.emplace_back("release", "migrate");
  world.record.fail_next("runtime.run_task", kBroken);
  expect_no_trace("broken");
}

TEST_F(Failures, TheRuntimeRefusesAGroup) {
  world.record.fail_next("runtime.apply", kBroken);
  expect_no_trace("broken");
}

TEST_F(Failures, TheSecondGroupCannotStart) {
  int groups = 0;
  world.record.on("runtime.apply", [&] {
    if (++groups == 2) world.record.fail_next("runtime.apply", kBroken);
  });
  expect_no_trace("broken");
}

TEST_F(Failures, TheChosenRuntimeIsNotThere) {
  must(world.store().properties().set(world.shop.id, "ps", "runtime", "gone"));
  before_ = world.picture();
  const auto done = world.push(kSecond);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().slug, "plugin-not-enabled");
  EXPECT_EQ(world.picture(), before_);
}

TEST_F(Failures, TheProxyIsNotThere) {
  world.record.fail_next("proxy.ensure", {Code::kUnavailable, "no nginx", "", "proxy-down", {}});
  expect_no_trace("proxy-down");
}

TEST_F(Failures, TheProxyRefusesTheRoute) {
  world.record.fail_next("proxy.prepare", {Code::kInvalid, "bad directive", "", "proxy-refused", {}});
  expect_no_trace("proxy-refused");
}

TEST_F(Failures, TheProxyFailsAfterItTookTheRoute) {
  world.record.fail_after("proxy.apply", {Code::kFailed, "no answer", "", "proxy-unconfirmed", {}});
  expect_no_trace("proxy-unconfirmed");
}

TEST_F(Failures, ARouteIsVetoed) {
  auto hook = std::make_unique<fakes::FakeHook>(world.record, world.marks, "guardian");
  hook->on_handle = [](const Event&) { return fail(Code::kDenied, "not this host", "", "host-denied"); };
  world.bus.subscribe(event_id::kRouteValidate, std::move(hook));
  const auto done = world.push(kSecond);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().text(), HasSubstr("guardian"));
  EXPECT_EQ(world.picture(), before_);
}

TEST_F(Failures, AStepOfAPluginFailsAfterItActed) {
  world.add_hooks();
  world.record.fail_after("hook.apply", kBroken);
  ASSERT_FALSE(world.push(kSecond));
  EXPECT_EQ(world.picture(), before_);
  EXPECT_THAT(world.record.calls, Contains("hook.undo acme release.assemble"));
}

TEST_F(Failures, TheUndoGoesBackwards) {
  world.add_hooks();
  world.record.fail_next("proxy.apply", kBroken);
  world.record.calls.clear();
  ASSERT_FALSE(world.push(kSecond));
  std::vector<std::string> undone;
  for (const std::string& call : world.record.calls) {
    if (call.starts_with("proxy.undo") || call.starts_with("hook.undo") ||
        call.starts_with("runtime.remove") || call.starts_with("sources.forget"))
      undone.push_back(call);
  }
  EXPECT_THAT(
      undone,
      ElementsAre("proxy.undo shop", "hook.undo acme route.switch", "hook.undo acme process.start",
                  "hook.undo acme process.start", "runtime.remove shop.d2", "hook.undo acme release.command",
                  "hook.undo acme release.assemble", "runtime.remove shop.d2", "sources.forget shop"));
  EXPECT_EQ(world.picture(), before_);
}

TEST_F(Failures, TheRecordOfTheSwitchFails) {
  // A domain that another app has taken meanwhile: the route is applied, and the record refuses it.
  must(world.store().domains().add(world.shop.id, {"mine.test"}));
  must(world.push(kSecond));
  must(world.store().domains().clear(world.shop.id));
  must(world.push(kFirst));
  const App other = must(world.store().apps().create("other"));
  must(world.store().domains().add(other.id, {"mine.test"}));
  before_ = world.picture();
  const auto done = world.deploy("rollback", R"({"with_domains":true})");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().slug, "domain-taken");
  EXPECT_EQ(world.picture(), before_);
}

TEST_F(Failures, ACancelInEachPhase) {
  std::vector<std::string> phases;
  for (const char* call : {"sources.check_out", "builder.detect", "builder.build", "runtime.apply"}) {
    bool asked = false;
    world.cancelled = [&] { return asked; };
    world.record.on(call, [&] { asked = true; });
    const auto done = world.push(kSecond);
    ASSERT_FALSE(done) << call;
    EXPECT_EQ(done.error().code, Code::kCancelled) << call;
    EXPECT_EQ(world.state(), DeploymentState::kCancelled) << call;
    EXPECT_EQ(world.picture(), before_) << call;
    world.record.on(call, [] {});
  }
}

TEST_F(Failures, ACancelWhileTheInstancesStart) {
  bool asked = false;
  world.cancelled = [&] { return asked; };
  world.probe.on_connect = [](const Endpoint&) { return fail(Code::kUnavailable, "refused"); };
  world.plugins.runtime_fake.on_wait = [&](fakes::FakeRuntime&) { asked = true; };
  ASSERT_FALSE(world.push(kSecond));
  EXPECT_EQ(world.state(), DeploymentState::kCancelled);
  EXPECT_EQ(world.picture(), before_);
}

TEST_F(Failures, ACancelAfterTheSwitchIsTooLate) {
  bool asked = false;
  world.cancelled = [&] { return asked; };
  world.record.on("proxy.drain", [&] { asked = true; });
  must(world.push(kSecond));
  EXPECT_EQ(world.state(), DeploymentState::kDone);
  EXPECT_THAT(world.answering(), ElementsAre("shop.d2.web.1", "shop.d2.web.2"));
}

TEST_F(Failures, AScaleThatCannotStartIsTakenBack) {
  world.record.fail_after("runtime.apply", kBroken);
  ASSERT_FALSE(world.deploy("scale", R"({"formation":{"web":4,"worker":0}})"));
  EXPECT_EQ(world.picture(), before_);
}

TEST_F(Failures, AScaleWhoseNewInstancesDieIsTakenBack) {
  world.plugins.runtime_fake.exits_at_start = 2;
  ASSERT_FALSE(world.deploy("scale", R"({"formation":{"web":4}})"));
  EXPECT_EQ(world.picture(), before_);
}

TEST_F(Failures, AScaleOfATypeFromNothingIsTakenBackToNothing) {
  must(world.deploy("scale", R"({"formation":{"worker":0}})"));
  before_ = world.picture();
  world.plugins.runtime_fake.exits_at_start = 2;
  ASSERT_FALSE(world.deploy("scale", R"({"formation":{"worker":2}})"));
  EXPECT_EQ(world.picture(), before_);
}

TEST_F(Failures, AStopThatTheProxyRefusesStopsNothing) {
  world.record.fail_next("proxy.apply", kBroken);
  ASSERT_FALSE(world.deploy("stop"));
  EXPECT_EQ(world.picture(), before_);
}

TEST_F(Failures, ADestroyThatTheProxyRefusesDestroysNothing) {
  world.record.fail_next("proxy.remove", kBroken);
  ASSERT_FALSE(world.deploy("destroy"));
  EXPECT_EQ(world.picture(), before_);
}

TEST_F(Failures, FailedReleasesLeaveNoSlugForLong) {
  world.record.fail_next("runtime.apply", kBroken);
  ASSERT_FALSE(world.push(kSecond));
  world.sources.trees[std::string(40, '3')] = {{"x", "y"}};
  must(world.push(std::string(40, '3')));
  const auto refs = must(world.store().releases().artifact_refs(world.shop.id));
  EXPECT_EQ(world.slug_files().size(), refs.size());
  EXPECT_EQ(refs.size(), 2U) << "the live one and the one before it";
}

// A slug may be a gigabyte: a failed one goes with its deployment, not with the next good one.
class FailedSlug : public Failures {
 protected:
  void SetUp() override {
    Failures::SetUp();
    slugs_ = world.slug_files();
    ASSERT_EQ(slugs_.size(), 1U);
  }
  std::vector<std::string> slugs_;
};

TEST_F(FailedSlug, GoesWithItsDeployment) {
  world.record.fail_next("runtime.apply", kBroken);
  ASSERT_FALSE(world.push(kSecond));
  EXPECT_EQ(world.state(), DeploymentState::kUndone);
  EXPECT_EQ(world.slug_files(), slugs_);
}

TEST_F(FailedSlug, GoesWhenItIsCancelled) {
  world.record.on("runtime.apply", [this] { world.cancelled = [] { return true; }; });
  ASSERT_FALSE(world.push(kSecond));
  EXPECT_EQ(world.state(), DeploymentState::kCancelled);
  EXPECT_EQ(world.slug_files(), slugs_);
}

TEST_F(FailedSlug, GoesAfterADeathToo) {
  ASSERT_TRUE(world.deploy_and_die("push",
                                   std::string(R"({"revision":")") + kSecond + R"(","source":"git push"})",
                                   "release/host/release.create:acted"));
  EXPECT_EQ(world.slug_files().size(), 2U);
  must(world.recover());
  EXPECT_EQ(world.slug_files(), slugs_);
}

TEST_F(FailedSlug, IsKeptWhereAGoodReleaseHasTheSame) {
  world.record.fail_next("runtime.apply", kBroken);
  ASSERT_FALSE(
      world.deploy("config", R"({"description":"Set X"})"));  // a new release of the live one's artifact
  EXPECT_EQ(world.slug_files(), slugs_);
  must(world.deploy("restart"));
}

}  // namespace
}  // namespace davit::scenario
