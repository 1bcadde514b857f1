// The journal: what a crash leaves is enough to go on.
#include "store/journal.hpp"

#include "tests/unit/store/store_fixture.hpp"

namespace davit {
namespace {

class Journal : public StoreTest {
 protected:
  std::string open(const std::string& kind = "push") {
    return must(journal().open({shop_, kind, R"({"ref":"main"})", "ann", 4})).id;
  }
  davit::Journal& journal() { return store().journal(); }

  AppId shop_ = app("shop");
};

const ProcessIdentity kFirst{"boot-1", 100, 18'000'000'000'000'000'000U};
const ProcessIdentity kSecond{"boot-1", 100, 5};

TEST_F(Journal, ADeploymentBeginsQueued) {
  const auto made = must(journal().open({shop_, "push", R"({"ref":"main"})", "ann", 4}));
  reopen(StoreMode::kWrite);
  const auto read = must(journal().get(made.id));
  EXPECT_EQ(read.id, "d1");
  EXPECT_EQ(read.app, shop_);
  EXPECT_EQ(read.app_name, "shop");
  EXPECT_EQ(read.kind, "push");
  EXPECT_EQ(read.state, DeploymentState::kQueued);
  EXPECT_EQ(read.request_json, R"({"ref":"main"})");
  EXPECT_EQ(read.actor, "ann");
  EXPECT_EQ(read.from_version, 4U);
  EXPECT_FALSE(read.to_version);
  EXPECT_FALSE(read.owner);
  EXPECT_FALSE(read.error);
  EXPECT_FALSE(read.cancel_requested);
  EXPECT_EQ(read.created_at_ms, clock_.now_unix_ms());
  EXPECT_FALSE(read.started_at_ms || read.committed_at_ms || read.finished_at_ms);
}

TEST_F(Journal, NumbersGrowOverAllAppsAndAreNotUsedTwice) {
  open();
  const AppId blog = app("blog");
  EXPECT_EQ(must(journal().open({blog, "push", "{}", "ann", {}})).id, "d2");
  must(journal().set_state("d2", DeploymentState::kDone));
  EXPECT_EQ(must(journal().prune(blog, 0)), std::vector<std::string>{"d2"});
  EXPECT_EQ(open(), "d3");
}

TEST_F(Journal, AnIdThatIsNoneIsNotFound) {
  for (const char* bad : {"", "d", "d0", "d-1", "17", "dx", "d1x", "d99999999999999999999", "d42"}) {
    EXPECT_EQ(slug_of(journal().get(bad)), "deployment-not-found") << bad;
    EXPECT_EQ(slug_of(journal().set_phase(bad, "x")), "deployment-not-found") << bad;
    EXPECT_EQ(slug_of(journal().begin_step(bad, {})), "deployment-not-found") << bad;
    EXPECT_EQ(slug_of(journal().request_cancel(bad)), "deployment-not-found") << bad;
    EXPECT_EQ(slug_of(journal().cancel_requested(bad)), "deployment-not-found") << bad;
  }
}

TEST_F(Journal, StatesSetTheirTimes) {
  const auto id = open();
  const UnixMs start_ms = clock_.now_unix_ms();
  clock_.advance_ms(10);
  must(journal().set_state(id, DeploymentState::kRunning));
  clock_.advance_ms(10);
  must(journal().set_state(id, DeploymentState::kRunning));
  must(journal().set_phase(id, "switch"));
  must(journal().set_to_version(id, 5));
  must(journal().set_state(id, DeploymentState::kCommitted));
  clock_.advance_ms(10);
  must(journal().set_state(id, DeploymentState::kDraining));
  must(journal().set_state(id, DeploymentState::kDone));
  const auto done = must(journal().get(id));
  EXPECT_EQ(done.started_at_ms, start_ms + 10);
  EXPECT_EQ(done.committed_at_ms, start_ms + 20);
  EXPECT_EQ(done.finished_at_ms, start_ms + 30);
  EXPECT_EQ(done.phase, "switch");
  EXPECT_EQ(done.to_version, 5U);
}

TEST_F(Journal, TheEndIsTheEnd) {
  for (const auto state : {DeploymentState::kDone, DeploymentState::kFailed, DeploymentState::kUndone,
                           DeploymentState::kCancelled}) {
    const auto id = open();
    must(journal().set_state(id, state));
    must(journal().set_state(id, state));
    EXPECT_EQ(slug_of(journal().set_state(id, DeploymentState::kRunning)), "deployment-finished");
    EXPECT_EQ(must(journal().get(id)).state, state);
  }
}

TEST_F(Journal, AnErrorIsKeptWithItsHintAndPlugin) {
  const auto id = open();
  must(journal().fail_with(id, DeploymentState::kUndone,
                           {"check-failed", "web does not listen", "See logs", "nginx"}));
  const auto failed = must(journal().get(id));
  EXPECT_EQ(failed.state, DeploymentState::kUndone);
  ASSERT_TRUE(failed.error);
  EXPECT_EQ(failed.error->slug, "check-failed");
  EXPECT_EQ(failed.error->message, "web does not listen");
  EXPECT_EQ(failed.error->hint, "See logs");
  EXPECT_EQ(failed.error->plugin, "nginx");
  EXPECT_EQ(slug_of(journal().fail_with(id, DeploymentState::kFailed, {"other", "other", "", ""})),
            "deployment-finished");
  EXPECT_EQ(must(journal().get(id)).error->slug, "check-failed");
}

TEST_F(Journal, OnlyWhoSawTheOwnerMayTakeOver) {
  const auto id = open();
  must(journal().claim(id, std::nullopt, kFirst));
  EXPECT_EQ(must(journal().get(id)).owner, kFirst);
  EXPECT_EQ(slug_of(journal().claim(id, std::nullopt, kSecond)), "deployment-owned");
  EXPECT_EQ(slug_of(journal().claim(id, kSecond, kSecond)), "deployment-owned");  // same pid, another start
  must(journal().claim(id, kFirst, kSecond));
  EXPECT_EQ(must(journal().get(id)).owner, kSecond);
}

TEST_F(Journal, CancelIsPossibleUntilTheSwitch) {
  const auto id = open();
  EXPECT_FALSE(must(journal().cancel_requested(id)));
  EXPECT_TRUE(must(journal().request_cancel(id)));
  EXPECT_TRUE(must(journal().request_cancel(id)));
  EXPECT_TRUE(must(journal().cancel_requested(id)));
  const auto committed = open();
  must(journal().set_state(committed, DeploymentState::kCommitted));
  EXPECT_FALSE(must(journal().request_cancel(committed)));
  EXPECT_FALSE(must(journal().cancel_requested(committed)));
}

TEST_F(Journal, StepsComeBackInOrderAndReversed) {
  const auto id = open();
  std::string token;
  for (int value = 0; value < 256; ++value) token += static_cast<char>(value);
  const StepId first =
      must(journal().begin_step(id, {"launch", "process", "process.start", "1.2.0", token, "n"}));
  clock_.advance_ms(5);
  must(journal().begin_step(id, {"switch", "nginx", "route.switch", "1.0.0", "", ""}));
  const auto other = open();
  must(journal().begin_step(other, {"launch", "process", "process.start", "1.2.0", "", ""}));

  reopen(StoreMode::kWrite);
  const auto steps = must(journal().steps(id));
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].id, first);
  EXPECT_EQ(steps[0].deployment_id, id);
  EXPECT_EQ(steps[0].seq, 1U);
  EXPECT_EQ(steps[0].phase + steps[0].plugin + steps[0].hook + steps[0].version,
            "launchprocessprocess.start1.2.0");
  EXPECT_EQ(steps[0].token, token);
  EXPECT_EQ(steps[0].note, "n");
  EXPECT_EQ(steps[0].state, StepState::kPrepared);
  EXPECT_FALSE(steps[0].finished_at_ms);
  EXPECT_EQ(steps[1].started_at_ms, steps[0].started_at_ms + 5);
  const auto reversed = must(journal().steps_reversed(id));
  ASSERT_EQ(reversed.size(), 2U);
  EXPECT_EQ(reversed[0].hook, "route.switch");
}

TEST_F(Journal, AStepIsBegunOnce) {
  const auto id = open();
  const NewStep step{"launch", "process", "process.start", "1.0.0", "t", ""};
  must(journal().begin_step(id, step));
  EXPECT_EQ(slug_of(journal().begin_step(id, step)), "step-exists");
  EXPECT_EQ(must(journal().steps(id)).size(), 1U);
}

TEST_F(Journal, ATokenHasItsLimit) {
  const auto id = open();
  must(journal().begin_step(id, {"launch", "process", "a", "1", std::string(kMaxTokenBytes, '\0'), ""}));
  const auto result =
      journal().begin_step(id, {"launch", "process", "b", "1", std::string(kMaxTokenBytes + 1, 'x'), ""});
  EXPECT_EQ(slug_of(result), "token-too-large");
  EXPECT_NE(result.error().message.find("process"), std::string::npos);
  EXPECT_EQ(must(journal().steps(id)).front().token.size(), kMaxTokenBytes);
}

TEST_F(Journal, AStepsStateCountsUndoAttempts) {
  const auto id = open();
  const StepId step = must(journal().begin_step(id, {"launch", "process", "start", "1", "t", ""}));
  must(journal().set_step_state(step, StepState::kApplying));
  EXPECT_FALSE(must(journal().step(step)).finished_at_ms);
  clock_.advance_ms(7);
  must(journal().set_step_state(step, StepState::kApplied));
  EXPECT_EQ(must(journal().step(step)).finished_at_ms, clock_.now_unix_ms());
  for (int attempt = 0; attempt < 3; ++attempt) must(journal().set_step_state(step, StepState::kUndoing));
  must(journal().set_step_state(step, StepState::kFailed, "no answer"));
  must(journal().set_step_state(step, StepState::kFailed));
  const auto failed = must(journal().step(step));
  EXPECT_EQ(failed.undo_attempts, 3U);
  EXPECT_EQ(failed.state, StepState::kFailed);
  EXPECT_EQ(failed.note, "no answer");
  EXPECT_EQ(slug_of(journal().set_step_state(StepId{99}, StepState::kApplied)), "step-not-found");
  EXPECT_EQ(slug_of(journal().step(StepId{99})), "step-not-found");
}

TEST_F(Journal, EveryStateIsReadBackAsItself) {
  for (int value = 0; value <= static_cast<int>(DeploymentState::kStuck); ++value) {
    const auto id = open();
    must(journal().set_state(id, static_cast<DeploymentState>(value)));
    EXPECT_EQ(must(journal().get(id)).state, static_cast<DeploymentState>(value));
  }
  const auto id = open();
  const StepId step = must(journal().begin_step(id, {}));
  for (int value = 0; value <= static_cast<int>(StepState::kFinished); ++value) {
    must(journal().set_step_state(step, static_cast<StepState>(value)));
    EXPECT_EQ(must(journal().step(step)).state, static_cast<StepState>(value));
  }
}

TEST_F(Journal, UnfinishedAndStuckAreFound) {
  const auto queued = open();
  const auto done = open();
  const auto stuck = open();
  const auto draining = open();
  const AppId blog = app("blog");
  const auto other = must(journal().open({blog, "push", "{}", "ann", {}})).id;
  must(journal().set_state(done, DeploymentState::kDone));
  must(journal().set_state(stuck, DeploymentState::kStuck));
  must(journal().set_state(draining, DeploymentState::kDraining));
  const auto ids = [](const std::vector<Deployment>& deployments) {
    std::string text;
    for (const auto& deployment : deployments) text += deployment.id + " ";
    return text;
  };
  EXPECT_EQ(ids(must(journal().unfinished(shop_))), queued + " " + draining + " ");
  EXPECT_EQ(ids(must(journal().unfinished())), queued + " " + draining + " " + other + " ");
  EXPECT_EQ(ids(must(journal().stuck())), stuck + " ");
  must(journal().set_state(stuck, DeploymentState::kCancelled));  // deploys:cancel --force
  EXPECT_TRUE(must(journal().stuck()).empty());
  EXPECT_EQ(ids(must(journal().history(shop_, 2))), draining + " " + stuck + " ");
  EXPECT_EQ(must(journal().history(AppId::kGlobal)).size(), 5U);
}

TEST_F(Journal, PruningKeepsTheNewestAndEverythingUnfinished) {
  const auto open_one = open();
  for (int i = 0; i < 4; ++i) {
    const auto id = open();
    must(journal().begin_step(id, {"p", "x", "y", "1", "t", ""}));
    must(journal().set_state(id, DeploymentState::kDone));
  }
  auto pruned = must(journal().prune(shop_, 2));
  std::sort(pruned.begin(), pruned.end());
  EXPECT_EQ(pruned, (std::vector<std::string>{"d2", "d3"}));
  EXPECT_EQ(must(journal().history(shop_)).size(), 3U);
  EXPECT_EQ(must(journal().get(open_one)).state, DeploymentState::kQueued);
  must(store().check());
}

}  // namespace
}  // namespace davit
