// Groups: apply, scale, crash, stop, start, remove.
#include <algorithm>
#include <csignal>

#include "suite.hpp"

namespace davit::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST_F(RuntimeSuite, AnAppliedGroupAnswersOnItsEndpoints) {
  ASSERT_EQ(runtime().apply(web(2)), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(wait_up(2));
  const auto instances = inspect();
  EXPECT_EQ(instances[0].id, "shop.d1.web.1");
  EXPECT_EQ(instances[1].id, "shop.d1.web.2");
  EXPECT_EQ(instances[0].exit_code, -1);
  EXPECT_GT(instances[0].pid, 0);
  EXPECT_GT(instances[0].since_unix_ms, 1'600'000'000'000);
  for (const auto& instance : instances) {
    ASSERT_EQ(instance.endpoints.size(), 1U);
    EXPECT_EQ(instance.endpoints[0].instance, instance.id);
    EXPECT_TRUE(eventually([&] { return !http_get(instance.endpoints[0].port).empty(); }));
    EXPECT_THAT(http_get(instance.endpoints[0].port), HasSubstr("hello from " + instance.id));
  }
  EXPECT_NE(instances[0].endpoints[0].port, instances[1].endpoints[0].port);
}

TEST_F(RuntimeSuite, AnotherApplyOfTheSameTouchesNothing) {
  const sdk::Group wanted = web(2);
  ASSERT_EQ(runtime().apply(wanted), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(wait_up(2));
  const auto before = inspect();
  world->restart_plugin();
  ASSERT_EQ(runtime().apply(wanted), DAVIT_OK) << runtime().call().message;
  const auto after = inspect();
  ASSERT_EQ(after.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(after[i].pid, before[i].pid);
    EXPECT_EQ(after[i].exits, 0U);
    EXPECT_EQ(after[i].endpoints[0].port, before[i].endpoints[0].port);
  }
}

TEST_F(RuntimeSuite, WhoSeesListenersSaysWhetherOneIsThere) {
  sdk::Group silent = group("web", "exec sleep " + own_seconds(3));
  silent.flags = DAVIT_GROUP_LISTENS;
  ASSERT_EQ(runtime().apply(silent), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(wait_up(1));
  EXPECT_EQ(inspect()[0].listening, world->sees_listeners() ? DAVIT_LISTENING_NO : DAVIT_LISTENING_UNKNOWN);
  ASSERT_EQ(runtime().apply(web(1, "d2")), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(wait_log("listening"));
  EXPECT_EQ(inspect(all("d2", "web"))[0].listening,
            world->sees_listeners() ? DAVIT_LISTENING_YES : DAVIT_LISTENING_UNKNOWN);
}

TEST_F(RuntimeSuite, ScalingLeavesTheRemainingInstancesAlone) {
  sdk::Group wanted = web(1);
  ASSERT_EQ(runtime().apply(wanted), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(wait_up(1));
  const int first = inspect()[0].pid;
  wanted.count = 3;
  ASSERT_EQ(runtime().apply(wanted), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(wait_up(3));
  const std::uint32_t gone = inspect()[2].endpoints[0].port;
  EXPECT_TRUE(eventually([&] { return !http_get(gone).empty(); }));
  wanted.count = 1;
  ASSERT_EQ(runtime().apply(wanted), DAVIT_OK) << runtime().call().message;
  const auto left = inspect();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].pid, first);
  EXPECT_EQ(left[0].exits, 0U);
  EXPECT_EQ(http_get(gone), "");
}

TEST_F(RuntimeSuite, AGroupThatKeepsChangesOnlyWhatDoesNotRun) {
  sdk::Group wanted = web(2);
  ASSERT_EQ(runtime().apply(wanted), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(wait_up(2));
  const auto before = inspect();
  ASSERT_EQ(runtime().stop({DAVIT_OWNER_APP, "shop", "", "", 2}), DAVIT_OK) << runtime().call().message;
  world->restart_plugin();
  wanted.flags |= DAVIT_GROUP_KEEP;
  wanted.count = 3;
  wanted.stop_timeout_ms = 9'000;
  wanted.env.emplace_back("ADDED", "1");
  wanted.argv = {"bash", "-c", "echo added $ADDED; exec python3 server.py"};
  ASSERT_EQ(runtime().apply(wanted), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(wait_up(3));
  EXPECT_EQ(inspect()[0].pid, before[0].pid);
  EXPECT_TRUE(eventually([&] { return std::ranges::count(log_texts(), "added 1") == 2; }));
  wanted.count = 1;
  wanted.stop_timeout_ms = 8'000;
  ASSERT_EQ(runtime().apply(wanted), DAVIT_OK) << runtime().call().message;
  const auto left = inspect();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].pid, before[0].pid);
  EXPECT_EQ(left[0].exits, 0U);
  wanted.flags &= ~DAVIT_GROUP_KEEP;
  ASSERT_EQ(runtime().apply(wanted), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(wait_until([&](const auto& found) {
    return found.size() == 1 && found[0].state == DAVIT_INSTANCE_UP && found[0].pid != before[0].pid;
  }));
}

// Each of the two ends only when the other has its stop signal too: one after the other they would be killed.
TEST_F(RuntimeSuite, TheInstancesOfAGroupAreStoppedTogether) {
  if (!world->isolated()) GTEST_SKIP() << "needs a folder that both see";
  sdk::Group wanted =
      group("worker",
            "trap 'touch /shared/$DAVIT_INSTANCE; until [ $(ls /shared | wc -l) = 2 ]; do sleep 0.05; "
            "done; exit 0' TERM; echo ready; while :; do sleep 0.05; done",
            2);
  wanted.mounts = {{world->host_folder("shared"), "/shared", DAVIT_MOUNT_OWN}};
  ASSERT_EQ(runtime().apply(wanted), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(eventually([&] { return log_texts().size() == 2; }));
  ASSERT_EQ(runtime().stop(all()), DAVIT_OK) << runtime().call().message;
  for (const auto& instance : inspect()) {
    EXPECT_EQ(instance.state, static_cast<std::uint32_t>(DAVIT_INSTANCE_EXITED)) << instance.id;
    EXPECT_EQ(instance.exit_code, 0) << instance.id;
  }
}

TEST_F(RuntimeSuite, AGroupOfNoneIsKeptAndListed) {
  sdk::Strings owned;
  ASSERT_EQ(runtime().apply(group("worker", "sleep 1000", 0)), DAVIT_OK) << runtime().call().message;
  ASSERT_EQ(runtime().list_owned(owned), DAVIT_OK);
  EXPECT_THAT(owned, ElementsAre("app/shop/d1/worker"));
  EXPECT_THAT(inspect(), IsEmpty());
  ASSERT_EQ(runtime().remove(all(), true), DAVIT_OK);
  ASSERT_EQ(runtime().list_owned(owned), DAVIT_OK);
  EXPECT_THAT(owned, IsEmpty());
}

TEST_F(RuntimeSuite, TheEnvironmentIsCompleteAndExact) {
  sdk::Group wanted =
      group("worker",
            "printf '%s|' \"$COLOUR\" \"$ODD\" \"$HOME\" \"$DAVIT_INSTANCE\" \"${USER-none}\";"
            " pwd; cat hello.txt; sleep 1000");
  wanted.env.emplace_back("ODD", "a=b 'c' \"d\" $e\te\\");
  ASSERT_EQ(runtime().apply(wanted), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(wait_log("hello"));
  const std::string first = log_texts()[0];
  EXPECT_THAT(first, testing::StartsWith("deep blue|a=b 'c' \"d\" $e\te\\|"));
  EXPECT_THAT(first, HasSubstr("|shop.d1.worker.1|none|"));
}

TEST_F(RuntimeSuite, AnEndIsCountedAndTheRestartPolicyHeld) {
  sdk::Group once = group("once", "exit 3");
  once.restart = DAVIT_RESTART_NEVER;
  ASSERT_EQ(runtime().apply(once), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(wait_until([](const auto& found) {
    return found.size() == 1 && found[0].state == DAVIT_INSTANCE_EXITED && found[0].exits == 1;
  }));
  EXPECT_EQ(inspect()[0].exit_code, 3);
  EXPECT_EQ(inspect()[0].pid, 0);

  sdk::Group fine = group("fine", "exit 0");
  fine.restart = DAVIT_RESTART_ON_FAILURE;
  ASSERT_EQ(runtime().apply(fine), DAVIT_OK) << runtime().call().message;
  EXPECT_TRUE(wait_until([](const auto& found) {
    return found.size() == 2 && found[0].state == DAVIT_INSTANCE_EXITED && found[0].exits == 1 &&
           found[0].exit_code == 0;
  }));

  sdk::Group always = group("zalways", "kill -9 $$");
  ASSERT_EQ(runtime().apply(always), DAVIT_OK) << runtime().call().message;
  EXPECT_TRUE(wait_until([](const auto& found) { return found.size() == 3 && found[2].exits >= 2; }));
  EXPECT_EQ(inspect()[2].exit_code, 128 + SIGKILL);
}

TEST_F(RuntimeSuite, AKilledInstanceIsSeenByWaitChangeAndComesBack) {
  ASSERT_EQ(runtime().apply(web(1)), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(wait_up(1));
  const auto before = inspect()[0];
  kill(before.pid, SIGKILL);
  ASSERT_TRUE(wait_until([&](const auto& found) {
    return found[0].state == DAVIT_INSTANCE_UP && found[0].exits == 1 && found[0].pid != before.pid;
  }));
  EXPECT_EQ(inspect()[0].endpoints[0].port, before.endpoints[0].port);
  EXPECT_TRUE(eventually([&] { return !http_get(before.endpoints[0].port).empty(); }));
}

TEST_F(RuntimeSuite, AWaitWithoutAChangeEndsWell) {
  ASSERT_EQ(runtime().apply(group("worker", "sleep 1000")), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(wait_up(1));
  EXPECT_EQ(runtime().wait_change(all(), 50), DAVIT_OK) << runtime().call().message;
  EXPECT_EQ(runtime().wait_change(all("d9"), 50), DAVIT_OK) << runtime().call().message;
}

TEST_F(RuntimeSuite, AStopReachesEveryProcessAndHoldsUntilStart) {
  // bash forwards nothing: without help the background process would not hear of it
  const std::string script =
      "(trap 'echo child stops; exit 0' TERM; echo child ready; while :; do sleep 0.1; done) & "
      "trap 'echo parent stops; wait; exit 0' TERM; echo parent ready; wait";
  ASSERT_EQ(runtime().apply(group("worker", script)), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(wait_log("child ready"));
  ASSERT_TRUE(wait_log("parent ready"));
  ASSERT_EQ(runtime().stop(all()), DAVIT_OK) << runtime().call().message;
  EXPECT_EQ(inspect()[0].state, DAVIT_INSTANCE_EXITED);
  EXPECT_EQ(inspect()[0].pid, 0);
  EXPECT_TRUE(wait_log("child stops"));
  EXPECT_TRUE(wait_log("parent stops"));
  ASSERT_EQ(runtime().start(all()), DAVIT_OK) << runtime().call().message;
  EXPECT_TRUE(wait_up(1));
}

TEST_F(RuntimeSuite, AnInstanceThatIgnoresTheStopIsKilledAfterItsTimeout) {
  sdk::Group stubborn =
      group("worker", "trap '' TERM; echo deaf; sleep " + own_seconds(1) + " & sleep " + own_seconds(1));
  stubborn.stop_timeout_ms = 300;
  ASSERT_EQ(runtime().apply(stubborn), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(wait_log("deaf"));
  ASSERT_TRUE(eventually([] { return process_with_argument(own_seconds(1)); }));
  ASSERT_EQ(runtime().stop(all()), DAVIT_OK) << runtime().call().message;
  EXPECT_FALSE(process_with_argument(own_seconds(1)));
}

TEST_F(RuntimeSuite, RemoveWorksOnWhatNeverHalfOrFullyExists) {
  EXPECT_EQ(runtime().remove(all(), true), DAVIT_OK) << runtime().call().message;
  ASSERT_EQ(runtime().apply(web(2)), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(wait_up(2));
  world->break_instance("shop.d1.web.1");
  world->restart_plugin();
  EXPECT_EQ(runtime().remove(all(), true), DAVIT_OK) << runtime().call().message;
  EXPECT_THAT(inspect(), IsEmpty());
  EXPECT_EQ(runtime().remove(all(), true), DAVIT_OK) << runtime().call().message;
}

TEST_F(RuntimeSuite, ABrokenInstanceIsMendedByTheNextApply) {
  ASSERT_EQ(runtime().apply(web(2)), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(wait_up(2));
  const int other = inspect()[1].pid;
  world->break_instance("shop.d1.web.1");
  ASSERT_EQ(runtime().apply(web(2)), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(wait_up(2));
  EXPECT_EQ(inspect()[1].pid, other);
  EXPECT_TRUE(eventually([&] { return !http_get(inspect()[0].endpoints[0].port).empty(); }));
}

TEST_F(RuntimeSuite, AnotherOwnerWhoseNameBeginsAlikeIsNotTouched) {
  sdk::Group other = group("worker", "sleep 1000");
  other.owner = "shop.example";
  ASSERT_EQ(runtime().apply(other), DAVIT_OK) << runtime().call().message;
  ASSERT_EQ(runtime().apply(group("worker", "sleep 1000")), DAVIT_OK) << runtime().call().message;
  ASSERT_EQ(runtime().remove(all(), true), DAVIT_OK) << runtime().call().message;
  const auto left = inspect(sdk::Selector{DAVIT_OWNER_APP, "shop.example", "", "", 0});
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].id, "shop.example.d1.worker.1");
  EXPECT_EQ(runtime().remove(sdk::Selector{DAVIT_OWNER_APP, "shop.example", "", "", 0}, true), DAVIT_OK);
}

TEST_F(RuntimeSuite, RevisionsLiveBesideEachOther) {
  ASSERT_EQ(runtime().apply(web(1, "d1")), DAVIT_OK) << runtime().call().message;
  ASSERT_EQ(runtime().apply(web(1, "d2")), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(wait_up(2));
  const auto both = inspect();
  EXPECT_EQ(both[0].revision, "d1");
  EXPECT_EQ(both[1].revision, "d2");
  ASSERT_EQ(runtime().remove(all("d1"), true), DAVIT_OK) << runtime().call().message;
  const auto left = inspect();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].pid, both[1].pid);
}

TEST_F(RuntimeSuite, AnApplyThatFailsUndoesWhatItBegan) {
  ASSERT_EQ(runtime().apply(web(1)), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(wait_up(1));
  sdk::Group broken = web(2, "d2");
  broken.artifact->ref += ".missing";
  EXPECT_EQ(runtime().apply(broken), DAVIT_NOT_FOUND);
  EXPECT_THAT(runtime().call().message, HasSubstr(".missing"));
  sdk::Strings owned;
  ASSERT_EQ(runtime().list_owned(owned), DAVIT_OK);
  EXPECT_THAT(owned, ElementsAre("app/shop/d1/web"));
  EXPECT_TRUE(wait_up(1));
}

TEST_F(RuntimeSuite, BadGroupsAreRefusedWithWords) {
  sdk::Group bad = group("worker", "true");
  bad.argv.clear();
  EXPECT_EQ(runtime().apply(bad), DAVIT_INVALID);
  EXPECT_NE(runtime().call().message, "");
  bad = group("wor/ker", "true");
  EXPECT_EQ(runtime().apply(bad), DAVIT_INVALID);
  bad = group("worker", "true");
  bad.env.emplace_back("HUGE", std::string(2 << 20, 'x'));
  EXPECT_EQ(runtime().apply(bad), DAVIT_INVALID);
  EXPECT_THAT(runtime().call().message, HasSubstr("HUGE"));
  EXPECT_THAT(runtime().call().message, Not(HasSubstr("xxx")));
  bad = group("worker", "true");
  bad.mounts = {{"/no/such/folder", "/data", 0}};
  EXPECT_EQ(runtime().apply(bad), DAVIT_NOT_FOUND);
  sdk::Strings owned;
  ASSERT_EQ(runtime().list_owned(owned), DAVIT_OK);
  EXPECT_THAT(owned, IsEmpty());
}

TEST_F(RuntimeSuite, EachInstanceHasItsOwnWritableCopy) {
  const std::string script = "ls; touch mine.$DAVIT_INSTANCE; echo done; sleep 1000";
  ASSERT_EQ(runtime().apply(group("worker", script, 2)), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(eventually([&] { return std::ranges::count(log_texts(), "done") == 2; }));
  EXPECT_THAT(log_texts(), Contains("hello.txt"));
  for (const std::string& text : log_texts()) EXPECT_THAT(text, Not(HasSubstr("mine")));
}

TEST_F(RuntimeSuite, DescribesItself) {
  sdk::Pairs facts;
  ASSERT_EQ(runtime().describe(facts), DAVIT_OK) << runtime().call().message;
  EXPECT_THAT(facts, Contains(testing::Key("isolation")));
  EXPECT_THAT(facts, Contains(testing::Key("limits")));
}

}  // namespace
}  // namespace davit::test
