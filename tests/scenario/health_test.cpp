// The health watch: liveness starts an instance again, readiness takes it out of the routes and back.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sqlite3.h>

#include <algorithm>

#include "lifecycle/health_watch.hpp"
#include "lifecycle/routes.hpp"
#include "tests/scenario/world.hpp"

namespace davit::scenario {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Health : public Story {
 protected:
  void deploy(const std::string& checks, unsigned web = 2) {
    world.sources.trees[kFirst]["app.json"] = R"({"healthchecks":{"web":)" + checks + "}}";
    must(world.store().formation().set_many(world.shop.id, {{"web", web}}));
    must(world.push());
    world.clock.advance_ms(120'000);  // long after the start
    world.probe.on_get = [this](const Endpoint& endpoint, const HttpRequest&) {
      return Result<HttpAnswer>(HttpAnswer{sick_.contains(endpoint.instance) ? 503 : 200, ""});
    };
    anew();
  }
  // A fresh process, as after a kill -9.
  void anew() {
    watch_.reset();
    services_.emplace(world.services());
    call_.emplace(world.context());
    HealthWatchSeams seams;
    seams.try_lock = [this](const App&) { return busy_ ? nullptr : std::make_shared<int>(0); };
    seams.log = [this](std::string_view line) { log_.emplace_back(line); };
    watch_.emplace(*services_, *call_, world.last().id, seams);
  }
  /// As many rounds as fit into the time.
  void pass(MonoMs ms) {
    const MonoMs until = world.clock.now_mono_ms() + ms;
    while (world.clock.now_mono_ms() < until) {
      const auto next = must(watch_->round());
      ASSERT_TRUE(next);
      world.clock.advance_ms(std::max<MonoMs>(1, *next));
    }
  }
  bool over() { return !must(watch_->round()).has_value(); }
  void at_the_store(const char* sql) {
    sqlite3* connection = nullptr;
    ASSERT_EQ(sqlite3_open(world.home.database().c_str(), &connection), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(connection, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(connection);
  }
  InstanceHealth health(const std::string& name) {
    return read_health(world.store(), world.shop.id, world.last().id).instances[name];
  }

  std::set<std::string> sick_;
  bool busy_ = false;
  std::vector<std::string> log_;
  std::optional<LifecycleServices> services_;
  std::optional<CallContext> call_;
  std::optional<HealthWatch> watch_;
};

constexpr const char* kReadiness = R"([{"type":"readiness","path":"/ready","wait":1,"attempts":3}])";
constexpr const char* kLiveness = R"([{"type":"liveness","path":"/live","wait":1,"attempts":3}])";

TEST_F(Health, NothingChangesWhileAllIsWell) {
  deploy(R"([{"type":"readiness","path":"/ready","wait":1},{"type":"liveness","path":"/live","wait":1}])");
  const auto before = world.picture();
  pass(60'000);
  EXPECT_EQ(world.picture(), before);
  EXPECT_THAT(world.record.calls, Not(Contains("runtime.stop shop.d1.web.1")));
}

TEST_F(Health, AnUnreadyInstanceGetsNoRequestsUntilItAnswers) {
  deploy(kReadiness);
  sick_ = {"shop.d1.web.2"};
  pass(1'500);
  EXPECT_EQ(world.answering().size(), 2U) << "three bad answers in a row are wanted";
  pass(4'000);
  EXPECT_THAT(world.answering(), ElementsAre("shop.d1.web.1"));
  EXPECT_FALSE(health("web.2").ready);
  EXPECT_THAT(health("web.2").problem, HasSubstr("GET /ready answered 503"));
  EXPECT_THAT(log_, Contains(HasSubstr("web.2 gets no requests")));
  sick_.clear();
  pass(2'000);
  EXPECT_EQ(world.answering().size(), 2U);
  EXPECT_TRUE(health("web.2").ready);
}

TEST_F(Health, ABadAnswerNowAndThenIsForgiven) {
  deploy(kReadiness);
  int asked = 0;
  world.probe.on_get = [&](const Endpoint&, const HttpRequest&) {
    return Result<HttpAnswer>(HttpAnswer{++asked % 3 == 0 ? 200 : 503, ""});
  };
  world.plugins.runtime_fake.instances.pop_back();
  pass(60'000);
  EXPECT_THAT(log_, Not(Contains(HasSubstr("gets no requests"))));
}

TEST_F(Health, IfNoneIsReadyAllGetRequests) {
  deploy(kReadiness);
  sick_ = {"shop.d1.web.1", "shop.d1.web.2"};
  pass(10'000);
  EXPECT_EQ(world.answering().size(), 2U);
  EXPECT_FALSE(health("web.1").ready);
  sick_ = {"shop.d1.web.2"};
  pass(3'000);
  EXPECT_THAT(world.answering(), ElementsAre("shop.d1.web.1"));
}

TEST_F(Health, ADeadInstanceIsStartedAgain) {
  deploy(kLiveness);
  sick_ = {"shop.d1.web.2"};
  world.record.on("runtime.start", [&] {
    sick_.clear();
    for (Instance& instance : world.plugins.runtime_fake.instances)
      instance.since_unix_ms = world.clock.now_unix_ms();
  });
  pass(10'000);
  EXPECT_EQ(std::ranges::count(world.record.calls, "runtime.stop shop.d1.web.2"), 1);
  EXPECT_EQ(std::ranges::count(world.record.calls, "runtime.start shop.d1.web.2"), 1);
  EXPECT_THAT(world.record.calls, Not(Contains("runtime.stop shop.d1.web.1")));
  EXPECT_EQ(world.answering().size(), 2U) << "its startup check is the listening port, which it has";
  EXPECT_EQ(health("web.2").restarts, 1U);
  EXPECT_FALSE(health("web.2").restarting);
}

TEST_F(Health, OnceItIsBackItIsAskedAsSeldomAsBefore) {
  deploy(R"([{"type":"liveness","path":"/live","wait":5,"attempts":1}])");
  sick_ = {"shop.d1.web.2"};
  world.record.on("runtime.start", [&] { sick_.clear(); });
  pass(30'000);
  ASSERT_EQ(health("web.2").restarts, 1U);
  ASSERT_TRUE(health("web.2").ready);
  const auto looks = std::ranges::count(world.record.calls, "runtime.inspect shop");
  pass(60'000);
  EXPECT_LE(std::ranges::count(world.record.calls, "runtime.inspect shop") - looks, 60);
}

TEST_F(Health, WhileItIsStartedAgainItGetsNoRequests) {
  deploy(kLiveness);
  sick_ = {"shop.d1.web.2"};
  bool routed = true;
  world.record.on("runtime.stop", [&] { routed = world.answering().size() == 2; });
  pass(4'000);
  EXPECT_FALSE(routed);
}

TEST_F(Health, WhatIsStillStartingIsNotDead) {
  deploy(kLiveness, 1);
  for (Instance& instance : world.plugins.runtime_fake.instances)
    instance.since_unix_ms = world.clock.now_unix_ms();
  sick_ = {"shop.d1.web.1"};
  pass(55'000);
  EXPECT_THAT(world.record.calls, Not(Contains("runtime.stop shop.d1.web.1")));
  pass(20'000);
  EXPECT_THAT(world.record.calls, Contains("runtime.stop shop.d1.web.1")) << "start-timeout is over";
}

TEST_F(Health, WithoutTimeToStartItIsDeadAtOnce) {
  must(world.store().properties().set(world.shop.id, "checks", "start-timeout", "0"));
  deploy(kLiveness, 1);
  for (Instance& instance : world.plugins.runtime_fake.instances)
    instance.since_unix_ms = world.clock.now_unix_ms();
  sick_ = {"shop.d1.web.1"};
  pass(20'000);
  EXPECT_THAT(world.record.calls, Contains("runtime.stop shop.d1.web.1"));
}

TEST_F(Health, AWarningChangesNothing) {
  deploy(
      R"([{"type":"liveness","path":"/l","wait":1,"warn":true},{"type":"readiness","path":"/r","wait":1,"warn":true}])");
  sick_ = {"shop.d1.web.1"};
  pass(20'000);
  EXPECT_EQ(world.answering().size(), 2U);
  EXPECT_THAT(world.record.calls, Not(Contains("runtime.stop shop.d1.web.1")));
  EXPECT_THAT(log_, Contains(HasSubstr("liveness failed 3 times")));
}

TEST_F(Health, ADeploymentThatHoldsTheLockIsNotWaitedFor) {
  deploy(kReadiness);
  busy_ = true;
  sick_ = {"shop.d1.web.2"};
  pass(10'000);
  EXPECT_EQ(world.answering().size(), 2U);
  busy_ = false;
  pass(1'000);
  EXPECT_THAT(world.answering(), ElementsAre("shop.d1.web.1"));
}

TEST_F(Health, WhatCameToItselfMeanwhileIsLeftAlone) {
  deploy(kLiveness);
  busy_ = true;
  sick_ = {"shop.d1.web.2"};
  pass(10'000);
  sick_.clear();
  pass(3'000);
  busy_ = false;
  pass(10'000);
  EXPECT_THAT(world.record.calls, Not(Contains("runtime.stop shop.d1.web.2")));
}

TEST_F(Health, ADeploymentLeftHalfDoneComesFirst) {
  deploy(kReadiness);
  ASSERT_TRUE(world.deploy_and_die("restart", "{}", "launch/host/process.start:acted"));
  services_.emplace(world.services());
  HealthWatchSeams seams;
  seams.try_lock = [](const App&) { return std::make_shared<int>(0); };
  watch_.emplace(*services_, *call_, "d1", seams);
  sick_ = {"shop.d1.web.2"};
  pass(10'000);
  EXPECT_EQ(world.answering().size(), 2U);
  must(world.recover());
  services_.emplace(world.services());
  watch_.emplace(*services_, *call_, "d1", seams);
  pass(10'000);
  EXPECT_THAT(world.answering(), ElementsAre("shop.d1.web.1"));
}

TEST_F(Health, ItEndsWithItsRevision) {
  deploy(kReadiness);
  EXPECT_FALSE(over());
  must(world.deploy("restart"));
  EXPECT_TRUE(over());
  anew();
  EXPECT_FALSE(over());
  must(world.deploy("stop"));
  EXPECT_TRUE(over());
  anew();
  must(world.deploy("destroy"));
  EXPECT_TRUE(over());
}

TEST_F(Health, ADeathKeepsWhoIsOut) {
  deploy(kReadiness);
  sick_ = {"shop.d1.web.2"};
  pass(6'000);
  anew();
  pass(6'000);
  EXPECT_THAT(world.answering(), ElementsAre("shop.d1.web.1"));
  sick_.clear();
  anew();
  pass(3'000);
  EXPECT_EQ(world.answering().size(), 2U)
      << "the one that died had taken it out; the next one brings it back";
}

TEST_F(Health, AStoreThatAnswersLaterIsReadLater) {
  deploy(kReadiness);
  sick_ = {"shop.d1.web.2"};
  at_the_store("ALTER TABLE release_processes RENAME TO hidden");
  EXPECT_FALSE(watch_->round());
  at_the_store("ALTER TABLE hidden RENAME TO release_processes");
  pass(6'000);
  EXPECT_THAT(world.answering(), ElementsAre("shop.d1.web.1"));
}

TEST_F(Health, WhereverItDiesTheNextOneFinishes) {
  for (const char* point :
       {"health/host/state:written", "health/host/routes:applied", "health/host/instance:restarted"}) {
    deploy(kLiveness);
    sick_ = {fmt::format("shop.{}.web.2", world.last().id)};
    world.record.on("runtime.start", [&] { sick_.clear(); });
    world.at_point = [&](const std::string& reached) {
      if (reached == point && health("web.2").restarting) throw Died{};
    };
    EXPECT_THROW(pass(20'000), Died) << point;
    world.at_point = nullptr;
    anew();
    pass(5'000);
    EXPECT_TRUE(sick_.empty()) << point;
    EXPECT_FALSE(health("web.2").restarting) << point;
    for (const Instance& instance : world.plugins.runtime_fake.instances) {
      EXPECT_EQ(instance.state, InstanceState::kUp) << point << " " << instance.id;
    }
    EXPECT_EQ(world.answering().size(), 2U) << point;
  }
}

TEST_F(Health, OtherRoutesGoByItToo) {
  deploy(kReadiness);
  sick_ = {"shop.d1.web.2"};
  pass(6'000);
  must(reroute_app(*services_, "shop", *call_));
  EXPECT_THAT(world.answering(), ElementsAre("shop.d1.web.1"));
  must(world.deploy("route"));
  EXPECT_THAT(world.answering(), ElementsAre("shop.d1.web.1"));
  must(world.deploy("scale", R"({"formation":{"web":3}})"));
  EXPECT_THAT(world.answering(), ElementsAre("shop.d1.web.1", "shop.d1.web.3"));
  must(world.deploy("restart"));
  EXPECT_EQ(world.answering().size(), 3U) << "what was found of old instances says nothing of new ones";
}

TEST_F(Health, AWatchIsWantedForWhatLives) {
  const auto wanted = [&] { return must(revision_to_watch(world.store(), world.shop.id)); };
  EXPECT_EQ(wanted(), "");
  world.sources.trees[kFirst]["app.json"] = R"({"healthchecks":{"web":[{"type":"liveness","path":"/"}]}})";
  must(world.push(kFirst));
  EXPECT_EQ(wanted(), "d1");
  must(world.deploy("restart"));
  EXPECT_EQ(wanted(), "d2");
  must(world.deploy("scale", R"({"formation":{"web":2}})"));
  EXPECT_EQ(wanted(), "d2");
  must(world.push(kSecond));
  EXPECT_EQ(wanted(), "") << "this release has none";
  must(world.deploy("rollback"));
  EXPECT_EQ(wanted(), "d5");
  must(world.deploy("stop"));
  EXPECT_EQ(wanted(), "");
}

}  // namespace
}  // namespace davit::scenario
