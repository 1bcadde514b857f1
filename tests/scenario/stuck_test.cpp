// What cannot be taken back: the deployment is stuck and named, and the app keeps running.
#include <gmock/gmock.h>

#include "tests/scenario/world.hpp"

namespace davit::scenario {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class Stuck : public Story {
 protected:
  void SetUp() override { must(world.push(kFirst)); }
  // The n-th and every later call of this name fails.
  void break_for_good(const std::string& call) {
    world.record.on(call, [this, call] {
      world.record.fail_next(call, {Code::kFailed, "will not", "", "will-not", {}});
    });
  }
};

TEST_F(Stuck, AnUndoThatFailsThreeTimes) {
  world.record.fail_after("proxy.apply", {Code::kFailed, "unconfirmed", "", "unconfirmed", {}});
  break_for_good("proxy.undo");
  const auto done = world.push(kSecond);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().slug, "unconfirmed") << "the user sees why, not what followed";
  EXPECT_EQ(world.state(), DeploymentState::kStuck);
  EXPECT_EQ(std::count(world.record.calls.begin(), world.record.calls.end(), "proxy.undo shop"), 3);
  EXPECT_THAT(world.last().error->message, HasSubstr("will not"));
  EXPECT_THAT(world.out.warnings, Contains(HasSubstr("davit doctor")));
  EXPECT_EQ(must(world.store().journal().stuck()).size(), 1U);
  EXPECT_EQ(world.slug_files().size(), 2U) << "nothing is cleared while somebody must look";
}

TEST_F(Stuck, TheOtherStepsAreTakenBackAllTheSame) {
  world.add_hooks();
  world.record.fail_next("proxy.apply", {Code::kFailed, "refused", "", "refused", {}});
  break_for_good("hook.undo");
  ASSERT_FALSE(world.push(kSecond));
  EXPECT_EQ(world.state(), DeploymentState::kStuck);
  EXPECT_THAT(world.instances(), ElementsAre("shop.d1.web.1"));
  EXPECT_THAT(world.answering(), ElementsAre("shop.d1.web.1"));
}

TEST_F(Stuck, TwoFailuresAreForgiven) {
  world.record.fail_after("proxy.apply", {Code::kFailed, "unconfirmed", "", "unconfirmed", {}});
  int attempts = 0;
  world.record.on("proxy.undo", [&] {
    if (++attempts < 3) world.record.fail_next("proxy.undo", {Code::kFailed, "not yet", "", "", {}});
  });
  ASSERT_FALSE(world.push(kSecond));
  EXPECT_EQ(world.state(), DeploymentState::kUndone);
  EXPECT_THAT(world.answering(), ElementsAre("shop.d1.web.1"));
}

TEST_F(Stuck, TheNextDeployWorks) {
  world.record.fail_after("proxy.apply", {Code::kFailed, "unconfirmed", "", "unconfirmed", {}});
  break_for_good("proxy.undo");
  ASSERT_FALSE(world.push(kSecond));
  must(world.push(kSecond));
  EXPECT_EQ(world.state(), DeploymentState::kDone);
  EXPECT_THAT(world.answering(), ElementsAre("shop.d3.web.1"));
}

TEST_F(Stuck, ThreeDeathsInTheSameUndoAreEnough) {
  ASSERT_TRUE(world.deploy_and_die("restart", "{}", "launch/host/process.start:acted"));
  for (int death = 0; death < 3; ++death) {
    EXPECT_THROW((void)world.recover("launch/host/process.start:undoing"), Died);
    world.owner_dies();
  }
  must(world.recover());
  EXPECT_EQ(world.state(), DeploymentState::kStuck) << "a fourth worker would die of it too";
  EXPECT_THAT(world.answering(), ElementsAre("shop.d1.web.1"));
  // And recovery leaves it alone from now on.
  world.record.calls.clear();
  must(world.recover());
  EXPECT_THAT(world.record.calls, ElementsAre());
}

TEST_F(Stuck, ThePluginOfAStepIsGone) {
  world.add_hooks();
  ASSERT_TRUE(world.deploy_and_die("restart", "{}", "switch/acme/route.switch:acted"));
  world.bus = EventBus();  // acme was disabled meanwhile
  must(world.recover());
  EXPECT_EQ(world.state(), DeploymentState::kStuck);
  EXPECT_THAT(world.last().error->message, HasSubstr("acme"));
  EXPECT_THAT(world.instances(), ElementsAre("shop.d1.web.1"));
}

TEST_F(Stuck, TheProxyIsGone) {
  ASSERT_TRUE(world.deploy_and_die("restart", "{}", "switch/fake-proxy/proxy.route:acted"));
  world.plugins.has_proxy = false;
  must(world.recover());
  EXPECT_EQ(world.state(), DeploymentState::kStuck);
  EXPECT_THAT(world.last().error->message, HasSubstr("fake-proxy"));
}

TEST_F(Stuck, AStepOfAnotherVersionIsNotGuessedAt) {
  ASSERT_TRUE(world.deploy_and_die("restart", "{}", "launch/host/process.start:acted"));
  must(world.store().journal().begin_step(world.last().id,
                                          {"launch", "host", "process.teleport", "", "", ""}));
  must(world.recover());
  EXPECT_EQ(world.state(), DeploymentState::kStuck);
  EXPECT_THAT(world.last().error->message, HasSubstr("process.teleport"));
}

// What an undo needs does not answer: an engine that is being restarted. Nothing is stuck for that.
class OutOfReach : public Story {
 protected:
  void SetUp() override { must(world.push(kFirst)); }
  // From the launch on, until `back` says so; it fails as an engine's client does.
  void engine_goes_down() {
    world.record.fail_after("runtime.apply", gone());
    for (const char* call : {"runtime.inspect", "runtime.remove", "runtime.start", "runtime.stop"}) {
      world.record.on(call, [this, call] {
        if (down) world.record.fail_next(call, gone());
      });
    }
  }
  static Error gone() { return {Code::kUnavailable, "No engine answers", "", "engine-down", {}}; }
  std::vector<std::string> releases(ReleaseState state) {
    std::vector<std::string> found;
    for (const ReleaseSummary& release : must(world.store().releases().list(world.shop.id)))
      if (release.state == state) found.push_back(std::to_string(release.version));
    return found;
  }
  void give_up() {  // deploys:cancel --force, in the store
    auto& store = world.store();
    must(store.live_groups().set_state(world.shop.id, world.last().id, GroupState::kStopping));
    must(store.journal().set_state(world.last().id, DeploymentState::kCancelled));
  }

  bool down = true;
};

TEST_F(OutOfReach, AnEngineThatComesBackIsWaitedFor) {
  engine_goes_down();
  const auto began = world.clock.now_mono_ms();
  world.at_pause = [&] { down = world.clock.now_mono_ms() < began + 10'000; };
  const auto done = world.push(kSecond);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().slug, "engine-down");
  EXPECT_EQ(world.state(), DeploymentState::kUndone);
  EXPECT_THAT(world.instances(), ElementsAre("shop.d1.web.1"));
  EXPECT_THAT(world.answering(), ElementsAre("shop.d1.web.1"));
  EXPECT_THAT(world.out.warnings, Contains(HasSubstr("is tried again for 60 seconds: No engine answers")));
}

TEST_F(OutOfReach, OneThatStaysAwayLeavesTheDeploymentToTheNextCommand) {
  engine_goes_down();
  const auto began = world.clock.now_mono_ms();
  ASSERT_FALSE(world.push(kSecond));
  EXPECT_GE(world.clock.now_mono_ms() - began, 50'000);
  EXPECT_LE(world.clock.now_mono_ms() - began, 65'000);
  EXPECT_EQ(world.state(), DeploymentState::kRunning);
  EXPECT_THAT(world.out.warnings, Contains(HasSubstr("Deployment d2 of shop could not be taken back yet")));
  EXPECT_THAT(must(world.store().journal().stuck()), testing::IsEmpty());
  EXPECT_EQ(world.last().error->slug, "engine-down");

  // As often as it takes, and without a wait.
  for (int command = 0; command < 5; ++command) {
    world.owner_dies();
    const auto before = world.clock.now_mono_ms();
    const auto recovered = world.recover();
    ASSERT_FALSE(recovered);
    EXPECT_EQ(recovered.error().slug, kSlugNotTakenBack);
    EXPECT_EQ(world.clock.now_mono_ms(), before);
    EXPECT_EQ(world.state(), DeploymentState::kRunning);
  }
  down = false;
  world.owner_dies();
  must(world.recover());
  EXPECT_EQ(world.state(), DeploymentState::kUndone);
  EXPECT_EQ(world.last().error->message, "No engine answers") << "why it failed, not what followed";
  EXPECT_THAT(world.instances(), ElementsAre("shop.d1.web.1"));
  EXPECT_THAT(releases(ReleaseState::kFailed), ElementsAre("2"));
  EXPECT_EQ(must(world.store().live_groups().of_app(world.shop.id)).size(), 1U);
  must(world.push(kSecond));
  EXPECT_THAT(world.answering(), ElementsAre("shop.d3.web.1"));
}

TEST_F(OutOfReach, WhatWasStoppedFirstComesBackWhenTheEngineDoes) {
  must(world.store().properties().set(world.shop.id, "ps", "replacement", "stop-first"));
  engine_goes_down();
  down = false;
  world.record.on("runtime.apply", [&] { down = true; });
  ASSERT_FALSE(world.push(kSecond));
  EXPECT_EQ(world.state(), DeploymentState::kRunning);
  EXPECT_FALSE(world.record.has("runtime.start shop.d1.web")) << "not beside the new one";
  down = false;
  world.owner_dies();
  must(world.recover());
  EXPECT_EQ(world.state(), DeploymentState::kUndone);
  ASSERT_THAT(world.instances(), ElementsAre("shop.d1.web.1"));
  EXPECT_EQ(world.plugins.runtime_fake.instances.front().state, InstanceState::kUp);
  EXPECT_THAT(world.answering(), ElementsAre("shop.d1.web.1"));
}

TEST_F(OutOfReach, AWaitThatIsCancelledEnds) {
  engine_goes_down();
  const auto began = world.clock.now_mono_ms();
  bool asked = false;
  world.cancelled = [&] { return asked; };
  world.at_pause = [&] { asked = world.clock.now_mono_ms() > began + 5'000; };
  ASSERT_FALSE(world.push(kSecond));
  EXPECT_LT(world.clock.now_mono_ms() - began, 8'000);
  EXPECT_EQ(world.state(), DeploymentState::kRunning);
}

TEST_F(OutOfReach, AnotherErrorAfterItsReturnIsStuckAllTheSame) {
  engine_goes_down();
  world.record.on("runtime.remove", [this, tries = 0]() mutable {
    world.record.fail_next("runtime.remove",
                           ++tries < 4 ? gone() : Error{Code::kFailed, "will not", "", "will-not", {}});
  });
  ASSERT_FALSE(world.push(kSecond));
  EXPECT_EQ(world.state(), DeploymentState::kStuck);
  EXPECT_THAT(world.last().error->message, HasSubstr("will not"));
}

TEST_F(OutOfReach, OneAppsTroubleIsNotTheOthers) {
  const App blog = must(world.store().apps().create("blog"));
  engine_goes_down();
  ASSERT_FALSE(world.push(kSecond));
  const auto other = must(world.store().journal().open({blog.id, "restart", "{}", "local:ada", {}})).id;
  world.owner_dies();
  world.reopen();
  EXPECT_FALSE(Engine(world.services()).recover_all(world.context()));
  EXPECT_EQ(must(world.store().journal().get(other)).state, DeploymentState::kFailed);
  EXPECT_EQ(world.state(), DeploymentState::kRunning);
}

TEST_F(OutOfReach, WhatWasGivenUpIsRemovedByTheNextDeployment) {
  engine_goes_down();
  ASSERT_FALSE(world.push(kSecond));
  give_up();
  EXPECT_THAT(world.instances(), ElementsAre("shop.d1.web.1", "shop.d2.web.1"));
  down = false;
  must(world.push(kSecond));
  EXPECT_THAT(world.instances(), ElementsAre("shop.d3.web.1"));
}

TEST_F(OutOfReach, WhatWasGivenUpIsRemovedBySystemStart) {
  engine_goes_down();
  ASSERT_FALSE(world.push(kSecond));
  give_up();
  world.reopen();
  EXPECT_FALSE(Engine(world.services()).recover_all(world.context())) << "not yet";
  down = false;
  must(Engine(world.services()).recover_all(world.context()));
  EXPECT_THAT(world.instances(), ElementsAre("shop.d1.web.1"));
  EXPECT_EQ(must(world.store().live_groups().of_app(world.shop.id)).size(), 1U);
}

}  // namespace
}  // namespace davit::scenario
