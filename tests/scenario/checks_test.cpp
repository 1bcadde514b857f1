// Waiting until new instances are healthy. Time passes only in on_wait.
#include <gmock/gmock.h>

#include "tests/scenario/world.hpp"

namespace davit::scenario {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Checks : public Story {
 protected:
  Error expect_failure() {
    const auto done = world.push();
    EXPECT_FALSE(done);
    EXPECT_EQ(world.state(), DeploymentState::kUndone);
    EXPECT_THAT(world.instances(), IsEmpty());
    return done ? Error{} : done.error();
  }
  void checks_file(const std::string& text) { world.sources.trees[kFirst]["CHECKS"] = text; }
  void app_json(const std::string& text) { world.sources.trees[kFirst]["app.json"] = text; }
};

TEST_F(Checks, AnInstanceThatExitsTwiceEndsItAtOnce) {
  world.plugins.runtime_fake.exits_at_start = 2;
  world.plugins.runtime_fake.log_lines = {{0, "d1", "web", 1, "cannot find module"}};
  const auto began = world.clock.now_mono_ms();
  const Error error = expect_failure();
  EXPECT_EQ(error.slug, "instance-exited");
  EXPECT_THAT(error.message, HasSubstr("web.1 exited with 1"));
  EXPECT_THAT(world.out.details, HasSubstr("cannot find module"));
  EXPECT_LT(world.clock.now_mono_ms() - began, 5'000);
}

TEST_F(Checks, OneExitIsForgiven) {
  world.plugins.runtime_fake.exits_at_start = 1;
  must(world.push());
}

// The relay before a container takes a connection also while the container is being started again.
TEST_F(Checks, AnAnswerDoesNotCountOfAnInstanceThatHasExitedMeanwhile) {
  world.probe.on_connect = [this](const Endpoint&) -> Result<> {
    for (Instance& instance : world.plugins.runtime_fake.instances) ++instance.exits;
    return {};
  };
  EXPECT_EQ(expect_failure().slug, "instance-exited");
}

TEST_F(Checks, AnInstanceThatWillNotBeStartedAgainEndsItAtOnce) {
  world.plugins.runtime_fake.instances_start_as = InstanceState::kExited;
  EXPECT_EQ(expect_failure().slug, "instance-exited");
}

// The relay before a container takes every connection: what the runtime sees goes before that.
TEST_F(Checks, WhatTheRuntimeDoesNotSeeListenIsNotReadyWhoeverTakesTheConnection) {
  world.plugins.runtime_fake.instances_listen = Listening::kNo;
  const Error error = expect_failure();
  EXPECT_EQ(error.slug, "check-timeout");
  EXPECT_THAT(error.message, HasSubstr("nothing listens on its port"));
  EXPECT_EQ(world.probe.connects, 0U);
  world.plugins.runtime_fake.on_wait = [this](fakes::FakeRuntime& runtime) {
    world.clock.advance_ms(100);
    for (Instance& instance : runtime.instances) instance.listening = Listening::kYes;
  };
  must(world.push());
}

TEST_F(Checks, AWebIsWaitedForAtItsPortWhateverElseMakesItHealthy) {
  app_json(R"({"healthchecks":{"web":[{"type":"startup","uptime":1}]}})");
  world.probe.on_connect = [&](const Endpoint&) -> Result<> {
    EXPECT_FALSE(world.plugins.proxy_fake.routes.contains("shop"));
    if (world.probe.connects < 5) return fail(Code::kUnavailable, "refused");
    return {};
  };
  must(world.push());
  EXPECT_GE(world.probe.connects, 5U);
}

TEST_F(Checks, AnInstanceThatSomebodyRemovesMeanwhileEndsItAtOnce) {
  world.probe.on_connect = [](const Endpoint&) { return fail(Code::kUnavailable, "refused"); };
  world.plugins.runtime_fake.on_wait = [this](fakes::FakeRuntime& runtime) {
    world.clock.advance_ms(100);
    runtime.instances.clear();
  };
  const auto began = world.clock.now_mono_ms();
  const Error error = expect_failure();
  EXPECT_EQ(error.slug, "instance-gone");
  EXPECT_THAT(error.message, HasSubstr("web.1 was removed before it was ready"));
  EXPECT_LT(world.clock.now_mono_ms() - began, 5'000);
}

TEST_F(Checks, AnAppThatNeverListensIsGivenUp) {
  world.probe.on_connect = [](const Endpoint&) { return fail(Code::kUnavailable, "refused"); };
  const auto began = world.clock.now_mono_ms();
  const Error error = expect_failure();
  EXPECT_EQ(error.slug, "check-timeout");
  EXPECT_THAT(error.message, HasSubstr("nothing listens on its port"));
  EXPECT_THAT(error.hint, HasSubstr("$PORT"));
  EXPECT_GE(world.clock.now_mono_ms() - began, 60'000);
}

TEST_F(Checks, TheStartTimeoutCanBeSet) {
  must(world.store().properties().set(world.shop.id, "checks", "start-timeout", "5"));
  world.probe.on_connect = [](const Endpoint&) { return fail(Code::kUnavailable, "refused"); };
  const auto began = world.clock.now_mono_ms();
  EXPECT_EQ(expect_failure().slug, "check-timeout");
  EXPECT_LT(world.clock.now_mono_ms() - began, 10'000);
}

TEST_F(Checks, AnAppThatListensLateIsWaitedFor) {
  world.probe.on_connect = [this](const Endpoint&) -> Result<> {
    if (world.probe.connects < 50) return fail(Code::kUnavailable, "refused");
    return {};
  };
  must(world.push());
  EXPECT_EQ(world.answering().size(), 1U);
}

TEST_F(Checks, AnInstanceThatStaysInStartingIsGivenUp) {
  world.plugins.runtime_fake.instances_start_as = InstanceState::kStarting;
  EXPECT_EQ(expect_failure().slug, "check-timeout");
}

TEST_F(Checks, ARuntimeThatHasTooFewInstancesIsGivenUp) {
  world.record.on("runtime.inspect", [this] { world.plugins.runtime_fake.instances.clear(); });
  EXPECT_EQ(expect_failure().slug, "check-timeout");
}

TEST_F(Checks, AWorkerMustStayUpForAWhile) {
  must(world.store().formation().set_many(world.shop.id, {{"worker", 1}, {"web", 0}}));
  world.record.on("runtime.inspect", [this, seen = false]() mutable {
    for (Instance& instance : world.plugins.runtime_fake.instances)
      if (!seen) instance.since_unix_ms = world.clock.now_unix_ms();
    seen = seen || !world.plugins.runtime_fake.instances.empty();
  });
  const auto began = world.clock.now_mono_ms();
  must(world.push());
  EXPECT_GE(world.clock.now_mono_ms() - began, 1'000 + 1'000) << "one second of the deploy, one of uptime";
}

TEST_F(Checks, ThePathOfTheChecksFileIsAsked) {
  checks_file("/health I am well\n");
  world.probe.on_get = [](const Endpoint&, const HttpRequest&) {
    return Result<HttpAnswer>(HttpAnswer{200, "I am well, thanks"});
  };
  must(world.push());
  ASSERT_EQ(world.probe.requests.size(), 1U);
  EXPECT_EQ(world.probe.requests.front().path, "/health");
}

TEST_F(Checks, AWrongAnswerIsAskedAsOftenAsSaid) {
  checks_file("ATTEMPTS=4\nWAIT=2\n/health\n");
  world.probe.on_get = [](const Endpoint&, const HttpRequest&) {
    return Result<HttpAnswer>(HttpAnswer{503, ""});
  };
  const auto began = world.clock.now_mono_ms();
  const Error error = expect_failure();
  EXPECT_EQ(error.slug, "check-failed");
  EXPECT_THAT(error.message, HasSubstr("GET /health answered 503"));
  EXPECT_EQ(world.probe.requests.size(), 4U);
  EXPECT_GE(world.clock.now_mono_ms() - began, 3 * 2'000);
}

TEST_F(Checks, AnAnswerWithoutTheTextIsWrong) {
  checks_file("ATTEMPTS=1\n/ welcome\n");
  const Error error = expect_failure();
  EXPECT_EQ(error.slug, "check-failed");
  EXPECT_THAT(error.message, HasSubstr("\"welcome\""));
}

TEST_F(Checks, ASlowAnswerCountsAsWrong) {
  checks_file("ATTEMPTS=2\n/\n");
  world.probe.on_get = [](const Endpoint&, const HttpRequest&) -> Result<HttpAnswer> {
    return fail(Code::kTimeout, "no answer in time");
  };
  EXPECT_EQ(expect_failure().slug, "check-failed");
  EXPECT_EQ(world.probe.requests.size(), 2U);
}

TEST_F(Checks, ARefusedConnectionIsNotAnAttempt) {
  checks_file("ATTEMPTS=1\n/\n");
  unsigned refused = 0;
  world.probe.on_get = [&](const Endpoint&, const HttpRequest&) -> Result<HttpAnswer> {
    if (refused < 20) return fail(Code::kUnavailable, "refused");
    return HttpAnswer{200, ""};
  };
  world.probe.on_connect = [&](const Endpoint&) -> Result<> {
    if (++refused < 20) return fail(Code::kUnavailable, "refused");
    return {};
  };
  must(world.push());
}

TEST_F(Checks, EveryInstanceIsAsked) {
  must(world.store().formation().set_many(world.shop.id, {{"web", 3}}));
  checks_file("/\n");
  must(world.push());
  EXPECT_EQ(world.probe.requests.size(), 3U);
}

TEST_F(Checks, OneBadInstanceOfThreeIsEnough) {
  must(world.store().formation().set_many(world.shop.id, {{"web", 3}}));
  world.probe.on_connect = [](const Endpoint& endpoint) -> Result<> {
    if (endpoint.instance.ends_with("web.2")) return fail(Code::kUnavailable, "refused");
    return {};
  };
  EXPECT_THAT(expect_failure().message, HasSubstr("web.2 was not ready"));
}

TEST_F(Checks, SeveralChecksAreAskedInOrder) {
  app_json(R"({"healthchecks":{"web":[
      {"type":"startup","name":"one","path":"/one"},
      {"type":"startup","name":"two","path":"/two","httpHeaders":[{"name":"Host","value":"a.test"}]},
      {"type":"liveness","path":"/never"}]}})");
  must(world.push());
  ASSERT_EQ(world.probe.requests.size(), 2U);
  EXPECT_EQ(world.probe.requests[0].path, "/one");
  EXPECT_EQ(world.probe.requests[1].path, "/two");
  EXPECT_EQ(world.probe.requests[1].host, "a.test");
}

TEST_F(Checks, ACommandIsRunInTheInstance) {
  app_json(R"({"healthchecks":{"web":[{"type":"startup","command":["./alive","now"],"attempts":2}]}})");
  std::vector<std::string> argv;
  world.plugins.runtime_fake.on_exec = [&](const ExecRequest& request) {
    argv = request.argv;
    return 0;
  };
  must(world.push());
  EXPECT_THAT(argv, ElementsAre("./alive", "now"));
  world.plugins.runtime_fake.on_exec = [](const ExecRequest&) { return 7; };
  const auto done = world.push();
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("./alive exited with 7"));
}

TEST_F(Checks, TheStatusThatIsWantedCounts) {
  app_json(R"({"healthchecks":{"web":[{"path":"/","status":[401,418],"attempts":1}]}})");
  world.probe.on_get = [](const Endpoint&, const HttpRequest&) {
    return Result<HttpAnswer>(HttpAnswer{418, ""});
  };
  must(world.push());
  world.probe.on_get = [](const Endpoint&, const HttpRequest&) {
    return Result<HttpAnswer>(HttpAnswer{200, ""});
  };
  const auto done = world.push();
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("GET / answered 200"));
}

TEST_F(Checks, AWarningChangesNothing) {
  app_json(R"({"healthchecks":{"web":[{"name":"nice","path":"/","attempts":2,"warn":true}]}})");
  world.probe.on_get = [](const Endpoint&, const HttpRequest&) {
    return Result<HttpAnswer>(HttpAnswer{500, ""});
  };
  must(world.push());
  EXPECT_EQ(world.probe.requests.size(), 2U);
  EXPECT_THAT(world.out.warnings, testing::Contains(HasSubstr("check nice fails: GET / answered 500")));
}

TEST_F(Checks, OnFailureRunsInTheInstance) {
  app_json(R"({"healthchecks":{"web":[{"path":"/","attempts":1,"onFailure":{"command":["./report"]}}]}})");
  world.probe.on_get = [](const Endpoint&, const HttpRequest&) {
    return Result<HttpAnswer>(HttpAnswer{500, ""});
  };
  std::vector<std::string> argv;
  world.plugins.runtime_fake.on_exec = [&](const ExecRequest& request) {
    argv = request.argv;
    return 1;
  };
  EXPECT_EQ(expect_failure().slug, "check-failed");
  EXPECT_THAT(argv, ElementsAre("./report"));
}

// Nothing is asked but the port: the proxy would refuse what does not listen yet.
TEST_F(Checks, SkippedChecksAreNotAsked) {
  for (const char* list : {"skipped", "disabled"}) {
    unsigned refused = 0;
    world.probe.on_connect = [&](const Endpoint&) {
      return ++refused < 3 ? Result<>(fail(Code::kUnavailable, "refused")) : Result<>{};
    };
    app_json(R"({"healthchecks":{"web":[{"type":"startup","path":"/"}],"worker":[{"command":["no"]}]}})");
    must(world.store().formation().set_many(world.shop.id, {{"worker", 1}}));
    must(world.store().properties().set(world.shop.id, "checks", "skipped", ""));
    must(world.store().properties().set(world.shop.id, "checks", list, "_all_"));
    must(world.push(list == std::string("skipped") ? kFirst : kSecond));
    EXPECT_GE(refused, 3U) << list;
    EXPECT_TRUE(world.probe.requests.empty()) << list;
  }
}

TEST_F(Checks, TheInitialDelayIsKept) {
  app_json(R"({"healthchecks":{"web":[{"type":"startup","path":"/","initialDelay":30}]}})");
  const auto began = world.clock.now_mono_ms();
  must(world.push());
  EXPECT_GE(world.clock.now_mono_ms() - began, 30'000);
}

TEST_F(Checks, AnInitialDelayBeyondTheStartTimeoutIsKept) {
  app_json(R"({"healthchecks":{"web":[{"type":"startup","path":"/","initialDelay":90}]}})");
  must(world.push());
  EXPECT_EQ(world.probe.requests.size(), 1U);
}

TEST_F(Checks, AnUptimeBeyondTheStartTimeoutIsAwaited) {
  app_json(R"({"healthchecks":{"web":[{"type":"startup","uptime":90}]}})");
  world.record.on("runtime.inspect", [this, since = world.clock.now_unix_ms()] {
    for (Instance& instance : world.plugins.runtime_fake.instances) instance.since_unix_ms = since;
  });
  must(world.push());
}

TEST_F(Checks, WhoeverAnswersBadlyHasAllAttempts) {
  app_json(R"({"healthchecks":{"web":[{"type":"startup","path":"/","attempts":60,"wait":5}]}})");
  world.probe.on_get = [](const Endpoint&, const HttpRequest&) {
    return Result<HttpAnswer>(HttpAnswer{503, ""});
  };
  const Error error = expect_failure();
  EXPECT_EQ(error.slug, "check-failed");
  EXPECT_EQ(world.probe.requests.size(), 60U);
}

TEST_F(Checks, WhatNeverComesUpIsNotToldOfItsPort) {
  world.plugins.runtime_fake.instances_start_as = InstanceState::kStarting;
  EXPECT_THAT(expect_failure().message, HasSubstr("web.1 was not ready in time: it never came up"));
}

TEST_F(Checks, AQuestionThatIsCancelledEndsTheDeployment) {
  checks_file("ATTEMPTS=1\n/\n");
  world.probe.on_get = [](const Endpoint&, const HttpRequest&) -> Result<HttpAnswer> {
    return fail(Code::kCancelled, "The deployment was cancelled", {}, "cancelled");
  };
  const auto done = world.push();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().slug, "cancelled");
  EXPECT_EQ(world.state(), DeploymentState::kCancelled);
}

TEST_F(Checks, ARollbackHasTheChecksOfItsRelease) {
  checks_file("/old\n");
  must(world.push(kFirst));
  must(world.push(kSecond));
  world.probe.requests.clear();
  must(world.deploy("rollback"));
  ASSERT_EQ(world.probe.requests.size(), 1U);
  EXPECT_EQ(world.probe.requests.front().path, "/old");
}

TEST_F(Checks, AScaleAsksOnlyTheNewInstances) {
  checks_file("/\n");
  must(world.push());
  world.probe.requests.clear();
  must(world.deploy("scale", R"({"formation":{"web":3}})"));
  EXPECT_EQ(world.probe.requests.size(), 2U);
}

TEST_F(Checks, APluginMayRefuseWhatIsHealthy) {
  auto hook = std::make_unique<fakes::FakeHook>(world.record, world.marks, "critic");
  hook->on_handle = [](const Event&) { return fail(Code::kDenied, "too slow", "", "slow"); };
  world.bus.subscribe(event_id::kProcessCheck, std::move(hook));
  EXPECT_EQ(expect_failure().slug, "slow");
}

}  // namespace
}  // namespace davit::scenario
