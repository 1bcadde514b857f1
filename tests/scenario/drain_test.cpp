// What happens after the switch: requests in flight, several draining revisions, and a drain that fails.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "lifecycle/identity.hpp"
#include "tests/scenario/world.hpp"

namespace davit::scenario {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class Drain : public Story {
 protected:
  // A deployment whose process is killed when its drain begins: the old revision stays, draining.
  void deploy_and_leave_draining() {
    ASSERT_TRUE(world.deploy_and_die("restart", "{}", "drain/host/drain:begin"));
  }
  std::vector<std::string> draining() {
    std::vector<std::string> found;
    for (const LiveGroup& group : must(world.store().live_groups().of_app(world.shop.id)))
      if (group.state == GroupState::kDraining) found.push_back(group.revision);
    return found;
  }
};

TEST_F(Drain, TwoRevisionsMayDrainAndTheOldestIsCut) {
  must(world.push());
  deploy_and_leave_draining();  // d1 drains
  deploy_and_leave_draining();  // d1, d2
  deploy_and_leave_draining();  // d1, d2, d3
  EXPECT_THAT(draining(), ElementsAre("d1", "d2", "d3"));
  world.record.calls.clear();
  must(world.deploy("restart"));  // d4 drains too: d1 and d2 are cut before anything is waited for
  const auto& calls = world.record.calls;
  const auto cut = std::find(calls.begin(), calls.end(), "runtime.remove shop.d1");
  const auto cut_next = std::find(calls.begin(), calls.end(), "runtime.remove shop.d2");
  const auto waited = std::find_if(calls.begin(), calls.end(),
                                   [](const std::string& call) { return call.starts_with("proxy.drain"); });
  ASSERT_NE(cut, calls.end());
  ASSERT_NE(cut_next, calls.end());
  EXPECT_LT(cut, waited);
  EXPECT_LT(cut_next, waited);
  EXPECT_THAT(calls, Not(Contains("proxy.drain shop.d1=1")));
  EXPECT_THAT(calls, Contains("proxy.drain shop.d4=1"));
  EXPECT_THAT(world.instances(), ElementsAre("shop.d5.web.1"));
}

TEST_F(Drain, TheNextDeploymentFinishesWhatALostOneLeft) {
  must(world.push());
  deploy_and_leave_draining();
  must(world.deploy("restart"));
  EXPECT_THAT(world.instances(), ElementsAre("shop.d3.web.1"));
  must(world.recover());
  EXPECT_EQ(must(world.store().journal().get("d2")).state, DeploymentState::kDone);
  EXPECT_THAT(world.answering(), ElementsAre("shop.d3.web.1"));
}

TEST_F(Drain, RequestsThatTakeTooLongAreCutWithoutAWord) {
  must(world.push());
  world.record.fail_next("proxy.drain", {Code::kTimeout, "still busy", "", "", {}});
  must(world.deploy("restart"));
  EXPECT_EQ(world.state(), DeploymentState::kDone);
  EXPECT_THAT(world.out.warnings, Not(Contains(HasSubstr("still busy"))));
  EXPECT_THAT(world.instances(), ElementsAre("shop.d2.web.1"));
}

TEST_F(Drain, AProxyThatCannotDrainIsAWarning) {
  must(world.push());
  world.record.fail_next("proxy.drain", {Code::kUnavailable, "no status", "", "", {}});
  must(world.deploy("restart"));
  EXPECT_EQ(world.state(), DeploymentState::kDone);
  EXPECT_THAT(world.out.warnings, Contains(HasSubstr("no status")));
}

TEST_F(Drain, ARuntimeThatCannotRemoveIsAskedAgainByTheNextCommand) {
  must(world.push());
  world.record.fail_next("runtime.remove", {Code::kUnavailable, "engine is down", "", "", {}});
  ASSERT_FALSE(world.deploy("restart"));
  EXPECT_EQ(world.state(), DeploymentState::kDraining) << "committed: it never goes back";
  EXPECT_THAT(world.answering(), ElementsAre("shop.d2.web.1"));
  world.owner_dies();
  must(world.recover());
  EXPECT_EQ(world.state(), DeploymentState::kDone);
  EXPECT_THAT(world.instances(), ElementsAre("shop.d2.web.1"));
}

TEST_F(Drain, AScaleWhoseDrainFailsTellsTheUserThatItIsCommitted) {
  must(world.store().formation().set_many(world.shop.id, {{"web", 2}}));
  must(world.push());
  int applies = 0;
  world.record.on("runtime.apply", [&] {
    if (++applies == 1) world.record.fail_next("runtime.apply", {Code::kUnavailable, "down", "", "", {}});
  });
  ASSERT_FALSE(world.deploy("scale", R"({"formation":{"web":1}})"));
  EXPECT_EQ(world.phases.size(), 1U);
  EXPECT_EQ(world.state(), DeploymentState::kDraining);
  world.owner_dies();
  must(world.recover());
  EXPECT_THAT(world.instances(), ElementsAre("shop.d1.web.1"));
}

TEST_F(Drain, ABranchMovedBySomebodyElseIsLeftAlone) {
  world.record.on("sources.move_ref", [&] { world.sources.refs["refs/heads/main"] = std::string(40, 'f'); });
  must(world.push());
  EXPECT_EQ(world.sources.refs.at("refs/heads/main"), std::string(40, 'f'));
  EXPECT_THAT(world.out.warnings, Contains(HasSubstr("moved by somebody else")));
}

// A process that lives until `from` ends or says something, and then writes into `to`.
pid_t receiver_until(int from, int to) {
  const pid_t child = fork();
  if (child != 0) return child;
  pollfd ready{from, POLLIN, 0};
  (void)poll(&ready, 1, 20'000);
  (void)!write(to, "x", 1);
  _exit(0);
}

std::string push_received_by(const ProcessIdentity& receiver) {
  return fmt::format(
      R"({{"revision":"{}","old_revision":"","ref":"refs/heads/main","source":"git push main",)"
      R"("receiver":{{"boot_id":"{}","pid":{},"start_time":{}}}}})",
      kFirst, receiver.boot_id, receiver.pid, receiver.start_time_ticks);
}

class Receiver : public Drain {
 protected:
  void SetUp() override {
    ASSERT_EQ(pipe(begin_), 0);
    ASSERT_EQ(pipe(ended_), 0);
    child_ = receiver_until(begin_[0], ended_[1]);
    world.record.on("sources.move_ref", [this] {
      pollfd ready{ended_[0], POLLIN, 0};
      ended_first_ = poll(&ready, 1, 0) == 1;
    });
  }
  void TearDown() override {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    for (const int fd : {begin_[0], begin_[1], ended_[0], ended_[1]}) close(fd);
  }
  int begin_[2]{-1, -1}, ended_[2]{-1, -1};
  pid_t child_ = 0;
  bool ended_first_ = false;
};

TEST_F(Receiver, ThatLivesIsWaitedForSinceItMovesTheBranchItself) {
  world.at_point = [this](const std::string& point) {
    if (point == "finish/host/finish:begin") (void)!write(begin_[1], "x", 1);
  };
  must(world.deploy("push", push_received_by(must(identity_of(child_)))));
  EXPECT_TRUE(ended_first_);
}

TEST_F(Receiver, WhosePidIsAnothersByNowIsNotWaitedFor) {
  auto reused = must(identity_of(child_));
  reused.start_time_ticks -= 1;
  must(world.deploy("push", push_received_by(reused)));
  EXPECT_FALSE(ended_first_);
  EXPECT_EQ(world.sources.refs.at("refs/heads/main"), kFirst);
}

TEST_F(Drain, RetentionSparesWhatAnotherDeploymentIsMaking) {
  // A slug that is stored, but whose release has no row yet: another deployment of the app is at that point.
  must(world.push());
  const auto stranger = world.home.slugs("shop") / (std::string(64, 'a') + ".tar.zst");
  world.record.on("proxy.drain", [&] {
    if (std::filesystem::exists(stranger)) return;
    std::ofstream(stranger) << "x";
    const auto other = must(world.store().journal().open({world.shop.id, "push", "{}", "bob", {}}));
    must(world.store().journal().set_state(other.id, DeploymentState::kRunning));
  });
  must(world.deploy("restart"));
  EXPECT_TRUE(std::filesystem::exists(stranger));
}

}  // namespace
}  // namespace davit::scenario
