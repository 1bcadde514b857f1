// How old and new instances change places: in batches, or the old ones first.
#include <gmock/gmock.h>

#include <algorithm>

#include "lifecycle/replacement.hpp"
#include "tests/scenario/world.hpp"

namespace davit::scenario {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class Replacement : public Story {
 protected:
  void set(const std::string& key, const std::string& value) {
    must(world.store().properties().set(world.shop.id, "ps", key, value));
  }
  std::vector<std::string> calls(const std::string& of) {
    std::vector<std::string> found;
    for (const std::string& call : world.record.calls) {
      if (call.starts_with(of)) found.push_back(call);
    }
    return found;
  }
  bool all_up() {
    return std::ranges::all_of(world.plugins.runtime_fake.instances,
                               [](const Instance& instance) { return instance.state == InstanceState::kUp; });
  }
};

TEST(NextCount, GrowsByAtMostSoMany) {
  EXPECT_EQ(next_count(0, 5, 0), 5U);
  EXPECT_EQ(next_count(0, 5, 2), 2U);
  EXPECT_EQ(next_count(2, 5, 2), 4U);
  EXPECT_EQ(next_count(4, 5, 2), 5U);
  EXPECT_EQ(next_count(0, 1, 9), 1U);
  EXPECT_EQ(next_count(3, 2, 1), 2U);
  EXPECT_EQ(next_count(0, 0xFFFFFFFF, 0xFFFFFFFF), 0xFFFFFFFFU);
}

TEST_F(Replacement, BatchesAreHealthyBeforeTheNext) {
  set("max-parallel", "2");
  must(world.store().formation().set_many(world.shop.id, {{"web", 5}}));
  unsigned most = 0;
  std::set<std::string> answered;
  world.probe.on_connect = [&](const Endpoint& endpoint) -> Result<> {
    const unsigned there = world.plugins.runtime_fake.instances.size();
    most = std::max<unsigned>(most, there - answered.size());
    answered.insert(endpoint.instance);
    return {};
  };
  must(world.push());
  EXPECT_THAT(calls("runtime.apply"),
              ElementsAre("runtime.apply shop.d1.web=2", "runtime.apply shop.d1.web=4",
                          "runtime.apply shop.d1.web=5"));
  EXPECT_EQ(most, 2U);
  EXPECT_EQ(world.answering().size(), 5U);
}

TEST_F(Replacement, TheOldGroupIsWholeUntilTheSwitch) {
  must(world.store().formation().set_many(world.shop.id, {{"web", 3}}));
  must(world.push(kFirst));
  set("max-parallel", "1");
  world.at_point = [&](const std::string& point) {
    if (point != "launch/host/batch.web:started") return;
    EXPECT_EQ(world.answering().size(), 3U);
    EXPECT_TRUE(all_up());
  };
  must(world.push(kSecond));
  EXPECT_EQ(std::ranges::count(world.points, "launch/host/batch.web:started"), 2);
}

TEST_F(Replacement, AppJsonSaysItPerType) {
  set("max-parallel", "1");
  world.sources.trees[kFirst]["app.json"] =
      R"({"formation":{"web":{"quantity":3,"max_parallel":3},"worker":{"quantity":2}}})";
  must(world.push());
  EXPECT_THAT(calls("runtime.apply"),
              ElementsAre("runtime.apply shop.d1.web=3", "runtime.apply shop.d1.worker=1",
                          "runtime.apply shop.d1.worker=2"));
}

TEST_F(Replacement, AScaleGrowsInBatches) {
  must(world.push());
  set("max-parallel", "2");
  world.record.calls.clear();
  must(world.deploy("scale", R"({"formation":{"web":4}})"));
  EXPECT_THAT(calls("runtime.apply"),
              ElementsAre("runtime.apply shop.d1.web=3", "runtime.apply shop.d1.web=4"));
}

TEST_F(Replacement, ADeathBetweenBatchesIsTakenBack) {
  must(world.store().formation().set_many(world.shop.id, {{"web", 3}}));
  must(world.push(kFirst));
  set("max-parallel", "1");
  const auto before = world.picture();
  ASSERT_TRUE(world.deploy_and_die("restart", "{}", "launch/host/batch.web:started"));
  must(world.recover());
  EXPECT_EQ(world.picture(), before);
}

TEST_F(Replacement, StopFirstStopsBeforeItStarts) {
  must(world.store().formation().set_many(world.shop.id, {{"worker", 1}}));
  must(world.push(kFirst));
  set("replacement", "stop-first");
  world.record.on("runtime.apply", [&] {
    for (const Instance& instance : world.plugins.runtime_fake.instances) {
      if (instance.revision != "d1") continue;
      EXPECT_EQ(instance.state, InstanceState::kExited) << instance.id;
    }
  });
  must(world.push(kSecond));
  EXPECT_THAT(calls("runtime.stop"), ElementsAre("runtime.stop shop.d1.web", "runtime.stop shop.d1.worker"));
  EXPECT_THAT(world.instances(), ElementsAre("shop.d2.web.1", "shop.d2.worker.1"));
  EXPECT_THAT(world.answering(), ElementsAre("shop.d2.web.1"));
}

TEST_F(Replacement, StopFirstWaitsForTheEnd) {
  must(world.push(kFirst));
  set("replacement", "stop-first");
  int waits = 0;
  world.plugins.runtime_fake.on_wait = [&](fakes::FakeRuntime& runtime) {
    world.clock.advance_ms(1000);
    if (++waits == 1) {
      for (Instance& instance : runtime.instances) instance.state = InstanceState::kExited;
    }
  };
  world.at_point = [&](const std::string& point) {
    if (point != "launch/host/process.stop:applying") return;
    // It does not end at once: the stop of this fake is overtaken below.
    world.record.on("runtime.inspect", [&] {
      for (Instance& instance : world.plugins.runtime_fake.instances) {
        if (instance.revision == "d1" && waits == 0) instance.state = InstanceState::kStopping;
      }
    });
  };
  must(world.push(kSecond));
  EXPECT_GE(waits, 1);
}

TEST_F(Replacement, WhatDoesNotEndFailsTheDeployAndComesBack) {
  must(world.push(kFirst));
  const auto before = world.picture();
  set("replacement", "stop-first");
  bool stubborn = true;
  world.record.on("runtime.inspect", [&] {
    for (Instance& instance : world.plugins.runtime_fake.instances) {
      if (stubborn && instance.state == InstanceState::kExited) instance.state = InstanceState::kStopping;
    }
  });
  world.record.on("runtime.start", [&] { stubborn = false; });
  world.plugins.runtime_fake.on_wait = [&](fakes::FakeRuntime&) { world.clock.advance_ms(5000); };
  const auto done = world.push(kSecond);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().slug, "replacement-timeout");
  EXPECT_TRUE(all_up());
  must(world.store().properties().unset(world.shop.id, "ps", "replacement"));
  EXPECT_EQ(world.picture(), before);
}

TEST_F(Replacement, AFailedNewOneBringsTheOldOneBack) {
  must(world.push(kFirst));
  set("replacement", "stop-first");
  const auto before = world.picture();
  world.plugins.runtime_fake.exits_at_start = 2;
  ASSERT_FALSE(world.push(kSecond));
  EXPECT_EQ(world.picture(), before);
  EXPECT_TRUE(all_up());
  EXPECT_THAT(world.answering(), ElementsAre("shop.d1.web.1"));
}

// An old instance that takes a while to listen has its time: a route is not made before.
TEST_F(Replacement, TheOldOneComesBackOnlyWhenItListens) {
  must(world.push(kFirst));
  set("replacement", "stop-first");
  const auto before = world.picture();
  world.plugins.runtime_fake.exits_at_start = 2;
  int refusals = 0;
  bool started = false;
  world.record.on("runtime.start", [&] { started = true; });
  world.plugins.runtime_fake.on_wait = [&](fakes::FakeRuntime&) { world.clock.advance_ms(1000); };
  world.probe.on_connect = [&](const Endpoint&) {
    return started && ++refusals <= 5 ? Result<>(fail(Code::kUnavailable, "refused")) : Result<>{};
  };
  world.record.on("proxy.apply", [&] { EXPECT_EQ(refusals, 6); });
  ASSERT_FALSE(world.push(kSecond));
  EXPECT_EQ(world.picture(), before);
  EXPECT_EQ(world.state(), DeploymentState::kUndone);
}

// It does not listen again at all: that is told, and the deployment is over all the same.
TEST_F(Replacement, AnOldOneThatIsDeafLeavesNothingStuck) {
  must(world.push(kFirst));
  set("replacement", "stop-first");
  world.plugins.runtime_fake.exits_at_start = 2;
  bool started = false;
  world.record.on("runtime.start", [&] { started = true; });
  world.plugins.runtime_fake.on_wait = [&](fakes::FakeRuntime&) { world.clock.advance_ms(5000); };
  world.probe.on_connect = [&](const Endpoint&) {
    return started ? Result<>(fail(Code::kUnavailable, "refused")) : Result<>{};
  };
  ASSERT_FALSE(world.push(kSecond));
  EXPECT_NE(world.state(), DeploymentState::kStuck);
}

TEST_F(Replacement, DisabledChecksStopTheirTypeFirst) {
  must(world.store().formation().set_many(world.shop.id, {{"worker", 1}}));
  must(world.push(kFirst));
  must(world.store().properties().set(world.shop.id, "checks", "disabled", "worker"));
  must(world.push(kSecond));
  EXPECT_THAT(calls("runtime.stop"), ElementsAre("runtime.stop shop.d1.worker"));
}

TEST_F(Replacement, AStopTakesNothingApart) {
  set("replacement", "stop-first");
  must(world.push(kFirst));
  must(world.deploy("stop"));
  EXPECT_EQ(world.plugins.runtime_fake.instances.size(), 0U);
  must(world.deploy("start"));
  EXPECT_EQ(world.answering().size(), 1U);
  EXPECT_THAT(calls("runtime.stop"), testing::IsEmpty()) << "nothing ran that had to be stopped first";
}

// Wherever it dies, the next command leaves the old release running, or the new one.
TEST_F(Replacement, StopFirstSurvivesEveryDeath) {
  must(world.push(kFirst));
  set("replacement", "stop-first");
  must(world.deploy("restart"));
  const std::vector<std::string> points = world.points;
  ASSERT_THAT(points, Contains("launch/host/process.stop:acted"));
  for (const std::string& point : points) {
    World other;
    must(other.push(kFirst));
    must(other.store().properties().set(other.shop.id, "ps", "replacement", "stop-first"));
    const auto before = other.picture();
    if (!other.deploy_and_die("restart", "{}", point)) continue;
    must(other.recover());
    ASSERT_EQ(other.answering().size(), 1U) << point;
    for (const Instance& instance : other.plugins.runtime_fake.instances) {
      EXPECT_EQ(instance.state, InstanceState::kUp) << point << " " << instance.id;
    }
    if (other.state() == DeploymentState::kDone) continue;
    EXPECT_EQ(other.picture(), before) << point;
  }
}

}  // namespace
}  // namespace davit::scenario
