// kill -9 at every journal step of every kind of deployment. The points are not listed here: a dry run
// reports them, and each is then a death of its own in a world of its own, after which the next command must
// find exactly the old state or exactly the new one.
#include <gmock/gmock.h>

#include <functional>
#include <memory>

#include "tests/scenario/world.hpp"

namespace davit::scenario {
namespace {

using testing::ElementsAre;

struct Case {
  const char* name;
  std::function<void(World&)> before;  // brings the world to where the deployment begins
  const char* kind;
  std::string request;
};

void PrintTo(const Case& shown, std::ostream* stream) {
  *stream << shown.name;
}

std::string push_of(const char* revision, const char* old_revision) {
  return std::string(R"({"revision":")") + revision + R"(","old_revision":")" + old_revision +
         R"(","ref":"refs/heads/main","source":"git push main"})";
}

void two_pushes(World& world) {
  must(world.store().config().set_many(world.shop.id, {{"COLOR", Secret("red")}}));
  must(world.store().formation().set_many(world.shop.id, {{"web", 2}, {"worker", 1}}));
  must(world.push(kFirst));
  must(world.store().config().set_many(world.shop.id, {{"COLOR", Secret("blue")}}));
  must(world.push(kSecond));
}

std::vector<Case> cases() {
  const auto nothing = [](World&) {};
  return {
      {"FirstPush", nothing, "push", push_of(kFirst, "")},
      {"Push", two_pushes, "push", push_of(kFirst, kSecond)},
      {"Rebuild", two_pushes, "rebuild", "{}"},
      {"Config", two_pushes, "config", R"({"description":"Set X config vars"})"},
      {"Restart", two_pushes, "restart", "{}"},
      {"Rollback", two_pushes, "rollback", R"({"with_scale":true,"with_domains":true})"},
      {"ScaleUp", two_pushes, "scale", R"({"formation":{"web":4}})"},
      {"ScaleDown", two_pushes, "scale", R"({"formation":{"web":1}})"},
      {"ScaleBothWays", two_pushes, "scale", R"({"formation":{"web":1,"worker":3}})"},
      {"ScaleToNone", two_pushes, "scale", R"({"formation":{"worker":0}})"},
      {"Stop", two_pushes, "stop", "{}"},
      {"Start",
       [](World& world) {
         two_pushes(world);
         must(world.deploy("stop"));
       },
       "start", "{}"},
      {"Route",
       [](World& world) {
         two_pushes(world);
         must(world.store().domains().add(world.shop.id, {"shop.test"}));
       },
       "route", "{}"},
      {"Destroy", two_pushes, "destroy", "{}"},
  };
}

class Death : public testing::TestWithParam<Case> {
 protected:
  std::unique_ptr<World> begin() {
    auto world = std::make_unique<World>();
    world->plugins.builder_fake.output.process_types.emplace_back("release", "migrate");
    world->add_hooks();
    GetParam().before(*world);
    return world;
  }
  // What a dry run reports: every failpoint, and what the world looks like before and after.
  void dry_run() {
    auto world = begin();
    old_ = world->picture();
    must(world->deploy(GetParam().kind, GetParam().request));
    points_ = world->points;
    new_ = world->picture();
  }
  std::vector<std::string> points_, old_, new_;
};

bool is_committed(const std::string& point) {
  return point == "switch/host/record:committed" || point.starts_with("drain/") ||
         point.starts_with("finish/");
}

TEST_P(Death, AtEveryStepIsOldOrNew) {
  dry_run();
  ASSERT_GE(points_.size(), 6U);
  for (const std::string& point : points_) {
    SCOPED_TRACE(point);
    auto world = begin();
    ASSERT_TRUE(world->deploy_and_die(GetParam().kind, GetParam().request, point));
    (void)world->answering();  // adds a failure if requests go to something that is not there
    must(world->recover());
    if (is_committed(point)) {
      EXPECT_EQ(world->state(), DeploymentState::kDone);
      EXPECT_EQ(world->picture(), new_);
    } else {
      EXPECT_EQ(world->state(), DeploymentState::kUndone);
      EXPECT_EQ(world->picture(), old_);
    }
    // Again: nothing is left to do.
    const auto after = world->picture();
    const auto calls = world->record.calls.size();  // kept: the fakes number their marks by it
    must(world->recover());
    EXPECT_EQ(world->picture(), after);
    EXPECT_EQ(world->record.calls.size(), calls);
    if (is_committed(point)) continue;
    // And the same thing works now.
    must(world->deploy(GetParam().kind, GetParam().request));
    EXPECT_EQ(world->state(), DeploymentState::kDone);
    EXPECT_EQ(world->picture().size(), new_.size());
  }
}

// The repair is killed too, at each of its own points, and then once more repaired.
TEST_P(Death, InTheRepairIsRepaired) {
  dry_run();
  std::string last;
  for (const std::string& point : points_)
    if (!is_committed(point)) last = point;
  auto probe = begin();
  ASSERT_TRUE(probe->deploy_and_die(GetParam().kind, GetParam().request, last));
  must(probe->recover());
  const auto repairs = probe->points;
  ASSERT_FALSE(repairs.empty());
  for (const std::string& point : repairs) {
    SCOPED_TRACE(point);
    auto world = begin();
    ASSERT_TRUE(world->deploy_and_die(GetParam().kind, GetParam().request, last));
    EXPECT_THROW((void)world->recover(point), Died);
    world->owner_dies();
    must(world->recover());
    EXPECT_EQ(world->state(), DeploymentState::kUndone);
    EXPECT_EQ(world->picture(), old_);
  }
}

TEST_P(Death, InTheRepairAfterTheSwitchGoesOn) {
  dry_run();
  for (const char* point : {"drain/host/drain:begin", "finish/host/finish:begin", "finish/host/finish:end"}) {
    SCOPED_TRACE(point);
    auto world = begin();
    ASSERT_TRUE(world->deploy_and_die(GetParam().kind, GetParam().request, "switch/host/record:committed"));
    EXPECT_THROW((void)world->recover(point), Died);
    world->owner_dies();
    must(world->recover());
    EXPECT_EQ(world->state(), DeploymentState::kDone);
    EXPECT_EQ(world->picture(), new_);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Death, testing::ValuesIn(cases()),
                         [](const auto& info) { return std::string(info.param.name); });

// Deaths inside an act, of which only a part has happened.
class HalfWay : public Story {
 protected:
  void SetUp() override {
    two_pushes(world);
    before_ = world.picture();
  }
  void die_in(const std::string& call, int which, const std::string& kind, const std::string& request) {
    int calls = 0;
    world.record.on(call, [this, call, which, &calls] {
      if (++calls == which) throw Died{};
    });
    EXPECT_THROW((void)world.deploy(kind, request), Died);
    world.record.on(call, [] {});
    world.owner_dies();
  }
  std::vector<std::string> before_;
};

TEST_F(HalfWay, OneOfTwoGroupsWasStarted) {
  die_in("runtime.apply", 2, "push", push_of(kFirst, kSecond));
  must(world.recover());
  EXPECT_EQ(world.picture(), before_);
}

TEST_F(HalfWay, TheTreeWasHalfCheckedOut) {
  die_in("sources.check_out", 1, "push", push_of(kFirst, kSecond));
  must(world.recover());
  EXPECT_EQ(world.picture(), before_);
}

TEST_F(HalfWay, TheBuilderWasAtWork) {
  world.plugins.builder_fake.on_build = [](const BuildInput& input) {
    std::filesystem::create_directories(input.work_dir + "/half/done");
    throw Died{};
  };
  EXPECT_THROW((void)world.deploy("push", push_of(kFirst, kSecond)), Died);
  world.owner_dies();
  must(world.recover());
  EXPECT_EQ(world.picture(), before_);
}

TEST_F(HalfWay, TheReleaseCommandRan) {
  world.plugins.builder_fake.output.process_types.emplace_back("release", "migrate");
  die_in("runtime.run_task", 1, "push", push_of(kFirst, kSecond));
  must(world.recover());
  EXPECT_EQ(world.picture(), before_);
  EXPECT_EQ(must(world.store().releases().get(world.shop.id, 3)).state, ReleaseState::kFailed);
}

TEST_F(HalfWay, InTheMiddleOfTheChecks) {
  die_in("runtime.inspect", 1, "push", push_of(kFirst, kSecond));
  must(world.recover());
  EXPECT_EQ(world.picture(), before_);
}

TEST_F(HalfWay, TheDrainWasCut) {
  die_in("proxy.drain", 1, "push", push_of(kFirst, kSecond));
  EXPECT_THAT(world.answering(), ElementsAre("shop.d3.web.1", "shop.d3.web.2"));
  must(world.recover());
  EXPECT_EQ(world.state(), DeploymentState::kDone);
  EXPECT_THAT(world.instances(), ElementsAre("shop.d3.web.1", "shop.d3.web.2", "shop.d3.worker.1"));
}

TEST_F(HalfWay, TheOldInstancesWereBeingRemoved) {
  die_in("runtime.remove", 1, "push", push_of(kFirst, kSecond));
  must(world.recover());
  EXPECT_EQ(world.state(), DeploymentState::kDone);
  EXPECT_THAT(world.instances(), ElementsAre("shop.d3.web.1", "shop.d3.web.2", "shop.d3.worker.1"));
}

TEST_F(HalfWay, TheBranchWasNotMovedYet) {
  die_in("sources.move_ref", 1, "push", push_of(kFirst, kSecond));
  EXPECT_EQ(world.sources.refs.at("refs/heads/main"), kSecond);
  must(world.recover());
  EXPECT_EQ(world.sources.refs.at("refs/heads/main"), kFirst) << "branch and release agree";
}

TEST_F(HalfWay, TheAppWasHalfDestroyed) {
  die_in("sources.remove", 1, "destroy", "{}");
  must(world.recover());
  EXPECT_EQ(world.state(), DeploymentState::kDone);
  EXPECT_FALSE(must(world.store().apps().exists("shop")));
  EXPECT_FALSE(std::filesystem::exists(world.home.slugs("shop")));
}

TEST_F(HalfWay, ItNeverBegan) {
  const Deployment queued = must(world.store().journal().open({world.shop.id, "restart", "{}", "ada", {}}));
  must(world.recover());
  EXPECT_EQ(must(world.store().journal().get(queued.id)).state, DeploymentState::kFailed);
  EXPECT_EQ(world.picture(), before_);
}

TEST_F(HalfWay, ALivingOwnerIsLeftAlone) {
  world.at_point = [](const std::string& point) {
    if (point == "drain/host/drain:begin") throw Died{};
  };
  EXPECT_THROW((void)world.deploy("restart"), Died);  // the owner is this process, which lives
  world.record.calls.clear();
  must(world.recover());
  EXPECT_EQ(world.state(), DeploymentState::kDraining);
  EXPECT_THAT(world.record.calls, ElementsAre());
}

TEST_F(HalfWay, AStoreThatIsBusyIsNoSignThatTheAppIsGone) {
  must(world.store().journal().open({world.shop.id, "restart", "{}", "ada", {}}));
  must(world.recover());
  // An app that is really gone: its deployment ends.
  const Deployment orphan = must(world.store().journal().open({world.shop.id, "restart", "{}", "ada", {}}));
  must(world.store().apps().destroy(world.shop.id));
  must(Engine(world.services()).recover(orphan.id, world.context()));
  EXPECT_EQ(must(world.store().journal().get(orphan.id)).state, DeploymentState::kDone);
}

}  // namespace
}  // namespace davit::scenario
