// kill -9 in the middle of a write: the next process finds the state before it, or after it, and can go on.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "tests/unit/store/store_fixture.hpp"

namespace davit {
namespace {

class Crash : public StoreTest {
 protected:
  // A child opens the store for itself, runs `body` and is killed while it stands still in it, or at its end.
  void die_in(const std::function<void(Store&, const std::function<void()>& stand_still)>& body) {
    store_.reset();
    int pipe_fds[2];
    ASSERT_EQ(pipe(pipe_fds), 0);
    const pid_t child = fork();
    if (child == 0) {
      const auto stand_still = [&] {
        if (write(pipe_fds[1], "x", 1) != 1) _exit(1);
        for (;;) pause();
      };
      Store own = must(Store::open(file(), StoreMode::kWrite, clock_));
      body(own, stand_still);
      stand_still();
    }
    char byte = 0;
    ASSERT_EQ(read(pipe_fds[0], &byte, 1), 1);
    ASSERT_EQ(kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    close(pipe_fds[0]);
    close(pipe_fds[1]);
  }
};

TEST_F(Crash, InATransactionNothingOfItRemains) {
  const AppId shop = app("shop");
  must(store().config().set_many(shop, {{"A", Secret("before")}}));
  die_in([&](Store& own, const auto& stand_still) {
    must(own.transaction([&]() -> Result<> {
      must(own.config().set_many(shop, {{"A", Secret("after")}}));
      for (int i = 0; i < 500; ++i) must(own.apps().create("app-" + std::to_string(i)));
      stand_still();
      return {};
    }));
  });
  reopen(StoreMode::kRead);
  EXPECT_EQ(must(store().apps().names()), std::vector<std::string>{"shop"});
  EXPECT_EQ(must(store().config().get(shop, "A")), Secret("before"));
  reopen(StoreMode::kWrite);
  must(store().check());
  app("next");
}

TEST_F(Crash, WhatWasAnsweredIsThere) {
  const AppId shop = app("shop");
  die_in([&](Store& own, const auto&) {
    const auto id = must(own.journal().open({shop, "push", "{}", "ann", {}})).id;
    must(own.journal().claim(id, std::nullopt, {"boot", getpid(), 7}));
    must(own.journal().set_state(id, DeploymentState::kRunning));
    must(own.journal().begin_step(id, {"launch", "process", "process.start", "1.0.0", "token", ""}));
  });
  reopen(StoreMode::kWrite);
  const auto unfinished = must(store().journal().unfinished());
  ASSERT_EQ(unfinished.size(), 1U);
  EXPECT_EQ(unfinished[0].state, DeploymentState::kRunning);
  ASSERT_TRUE(unfinished[0].owner);
  const auto steps = must(store().journal().steps_reversed(unfinished[0].id));
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_EQ(steps[0].state, StepState::kPrepared);
  EXPECT_EQ(steps[0].token, "token");
  must(store().journal().claim(unfinished[0].id, unfinished[0].owner, {"boot", getpid(), 8}));
}

TEST_F(Crash, AReaderFindsItWithoutTheSharedMemoryFileToo) {
  die_in([&](Store& own, const auto&) { must(own.apps().create("late")); });
  ASSERT_GT(std::filesystem::file_size(file().string() + "-wal"), 0U);
  std::filesystem::remove(file().string() + "-shm");  // as after a copy of the home
  reopen(StoreMode::kRead);
  EXPECT_TRUE(must(store().apps().exists("late")));
}

TEST_F(Crash, InALeaseThePortsAreFree) {
  die_in([&](Store& own, const auto& stand_still) {
    must(own.ports().lease({5000, 5000}, "a", 1, [&](std::uint16_t) {
      stand_still();
      return true;
    }));
  });
  reopen(StoreMode::kWrite);
  EXPECT_EQ(must(store().ports().lease({5000, 5000}, "b", 1, [](std::uint16_t) { return true; })),
            std::vector<std::uint16_t>{5000});
}

TEST_F(Crash, ALockOfADeadWriterHoldsNobodyUp) {
  die_in([&](Store& own, const auto& stand_still) {
    must(own.transaction([&]() -> Result<> {
      must(own.apps().create("a"));
      stand_still();
      return {};
    }));
  });
  Store next = must(Store::open(file(), StoreMode::kWrite, clock_, {.busy_timeout_ms = 0}));
  must(next.apps().create("b"));
}

}  // namespace
}  // namespace davit
