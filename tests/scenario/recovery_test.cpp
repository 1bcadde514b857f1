// Recovery of a whole home, as system:start does it: each app under its own lock, and what somebody else has
// in hand is left to them.
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "lifecycle/identity.hpp"
#include "lifecycle/missing.hpp"
#include "process/file_lock.hpp"
#include "process/files.hpp"
#include "tests/scenario/world.hpp"

namespace davit::scenario {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RecoverAll : public Story {
 protected:
  void SetUp() override { must(make_dirs(world.home.lock("shop").parent_path(), 0700)); }

  FileLock lock(const std::string& app, const std::string& command) {
    return must(FileLock::try_acquire(world.home.lock(app), {command, getpid(), world.clock.now_unix_ms()}));
  }
  std::string open(const App& app) {
    return must(world.store().journal().open({app.id, "restart", "{}", "local:ada", {}})).id;
  }
  DeploymentState state_of(const std::string& id) { return must(world.store().journal().get(id)).state; }
  Result<> recover_all() {
    world.reopen();
    return Engine(world.services()).recover_all(world.context());
  }
};

TEST_F(RecoverAll, AQueuedDeploymentOfALivingCommandIsLeftAlone) {
  const FileLock held = lock("shop", "git push");
  const std::string queued = open(world.shop);  // its worker has not claimed it yet
  must(recover_all());
  EXPECT_EQ(state_of(queued), DeploymentState::kQueued);
  ASSERT_EQ(world.out.steps.size(), 1U);
  EXPECT_THAT(world.out.steps.front(), HasSubstr("shop is left alone: it is locked by git push"));
  EXPECT_THAT(world.out.warnings, IsEmpty());
}

TEST_F(RecoverAll, ADeploymentThatARecoveryAlreadyTakesBackIsLeftAlone) {
  ASSERT_TRUE(world.deploy_and_die("push",
                                   std::string(R"({"revision":")") + kFirst + R"(","source":"git push"})",
                                   "build/host/build.run:applied"));
  const FileLock held = lock("shop", "ps:restart");  // between its taking of the lock and its claim
  must(recover_all());
  EXPECT_EQ(world.state(), DeploymentState::kRunning);
}

// An engine goes on with a build whose davit was killed; a runtime ends such when it is asked what it has.
TEST_F(RecoverAll, ABuildThatWasCutIsEndedInTheRuntime) {
  ASSERT_TRUE(world.deploy_and_die("push",
                                   std::string(R"({"revision":")") + kFirst + R"(","source":"git push"})",
                                   "build/host/build.run:applying"));
  world.record.fail_next("runtime.list_owned", Error{Code::kUnavailable, "no engine", "", "engine-down", {}});
  must(recover_all());
  EXPECT_EQ(world.state(), DeploymentState::kUndone) << "an engine that is down holds nothing up";
  EXPECT_TRUE(world.record.has("runtime.list_owned"));
  EXPECT_TRUE(world.record.has("runtime.remove shop.d1"))
      << "what the runtime made for the build alone goes, too";
}

TEST_F(RecoverAll, WhatNobodyHoldsIsTakenBackAndTheLockIsFreeAfterwards) {
  const std::string queued = open(world.shop);
  must(recover_all());
  EXPECT_EQ(state_of(queued), DeploymentState::kFailed);
  (void)lock("shop", "the next one");
}

TEST_F(RecoverAll, TheLockIsHeldWhileItIsTakenBack) {
  ASSERT_TRUE(world.deploy_and_die("push",
                                   std::string(R"({"revision":")") + kFirst + R"(","source":"git push"})",
                                   "build/host/build.run:applied"));
  bool asked = false;
  world.at_point = [&](const std::string&) {
    asked = true;
    EXPECT_FALSE(FileLock::try_acquire(world.home.lock("shop"), {"another", getpid(), 0}));
  };
  must(recover_all());
  EXPECT_TRUE(asked);
  EXPECT_EQ(world.state(), DeploymentState::kUndone);
}

TEST_F(RecoverAll, OneAppInUseDoesNotKeepTheOthersFromTheirRecovery) {
  const App blog = must(world.store().apps().create("blog"));
  const std::string busy = open(world.shop), dead = open(blog);
  const FileLock held = lock("shop", "git push");
  must(recover_all());
  EXPECT_EQ(state_of(busy), DeploymentState::kQueued);
  EXPECT_EQ(state_of(dead), DeploymentState::kFailed);
}

TEST_F(RecoverAll, OneAppThatCannotBeRecoveredDoesNotEither) {
  const App blog = must(world.store().apps().create("blog"));
  const std::string first = open(world.shop), second = open(blog);
  std::filesystem::create_directory(world.home.lock("shop"));  // no lock can be taken there
  const auto done = recover_all();
  ASSERT_FALSE(done);
  EXPECT_EQ(state_of(first), DeploymentState::kQueued);
  EXPECT_EQ(state_of(second), DeploymentState::kFailed);
  ASSERT_EQ(world.out.warnings.size(), 1U);
  EXPECT_THAT(world.out.warnings.front(), HasSubstr("shop"));
}

TEST_F(RecoverAll, WhatRemainsOfAnAppThatIsGoneEnds) {
  const std::string one = open(world.shop), two = open(world.shop);
  must(world.store().apps().destroy(world.shop.id));
  must(recover_all());
  EXPECT_EQ(state_of(one), DeploymentState::kDone);
  EXPECT_EQ(state_of(two), DeploymentState::kDone);
}

TEST_F(RecoverAll, NothingToDoTakesNoLockAndSaysNothing) {
  must(world.push());
  const auto said = world.out.steps.size();
  must(recover_all());
  EXPECT_FALSE(std::filesystem::exists(world.home.lock("shop")));
  EXPECT_EQ(world.out.steps.size(), said);
}

// A guard whose worker died while draining starts another; meanwhile system:start may have taken it over.
TEST_F(RecoverAll, ADeploymentThatAnotherHasTakenOverMeanwhileIsLeftToIt) {
  world.at_point = [](const std::string& point) {
    if (point == "finish/host/finish:begin") throw Died{};
  };
  EXPECT_THROW((void)world.push(), Died);
  world.at_point = nullptr;
  const Deployment before = world.last();
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  const auto other = identity_of(child);
  ASSERT_TRUE(other);
  must(world.store().journal().claim(before.id, before.owner, *other));
  world.record.calls.clear();
  must(Engine(world.services()).recover(before.id, world.context()));
  EXPECT_EQ(world.state(), DeploymentState::kDraining);
  EXPECT_THAT(world.record.calls, ElementsAre());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  must(Engine(world.services()).recover(before.id, world.context()));
  EXPECT_EQ(world.state(), DeploymentState::kDone);
}

TEST_F(RecoverAll, InstancesThatSomebodyRemovedAreNamed) {
  must(world.store().formation().set_many(world.shop.id, {{"web", 2}, {"worker", 1}}));
  must(world.push());
  const auto missing = [&] { return must(missing_instances(world.services(), world.context())); };
  EXPECT_THAT(missing(), testing::IsEmpty());
  world.plugins.runtime_fake.instances.resize(1);
  ASSERT_THAT(missing(), testing::SizeIs(1));
  EXPECT_EQ(missing()[0].text(), "2 of 3 instances of shop do not run");
  EXPECT_THAT(missing()[0].hint(), testing::HasSubstr("davit ps:restart shop"));
  must(world.deploy("restart"));
  EXPECT_THAT(missing(), testing::IsEmpty());
  EXPECT_THAT(world.answering(), testing::SizeIs(2));
  // Somebody stops the web, and the worker has done its work.
  for (Instance& instance : world.plugins.runtime_fake.instances) {
    instance.state = InstanceState::kExited;
    instance.since_unix_ms = world.clock.now_unix_ms();
    instance.exit_code = 0;
  }
  EXPECT_EQ(missing()[0].text(), "2 of 3 instances of shop do not run");
  for (Instance& instance : world.plugins.runtime_fake.instances) instance.exit_code = 143;
  EXPECT_EQ(missing()[0].text(), "3 of 3 instances of shop do not run");
  must(world.deploy("stop"));
  world.plugins.runtime_fake.instances.clear();
  EXPECT_THAT(missing(), testing::IsEmpty()) << "what is stopped need not be there";
}

}  // namespace
}  // namespace davit::scenario
