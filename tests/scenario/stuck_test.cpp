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
      world.record.fail_next(call, {Code::kUnavailable, "will not", "", "will-not", {}});
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
    if (++attempts < 3) world.record.fail_next("proxy.undo", {Code::kUnavailable, "not yet", "", "", {}});
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

}  // namespace
}  // namespace davit::scenario
