// FileLock: who holds it, waiting, handing over, and files that vanish.
#include "process/file_lock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <thread>

#include "process/process_runner.hpp"
#include "tests/temp_folder.hpp"

namespace davit {
namespace {

using ::testing::HasSubstr;

LockOwner owner(const std::string& command) {
  return {command, ::getpid(), SystemClock().now_unix_ms()};
}

TEST(FileLock, SecondTryNamesTheHolder) {
  test::TempFolder dir;
  const auto first = FileLock::try_acquire(dir / "shop", owner("git push"));
  ASSERT_TRUE(first);
  const auto second = FileLock::try_acquire(dir / "shop", owner("ps:scale"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kConflict);
  EXPECT_THAT(second.error().message, HasSubstr("git push (pid " + std::to_string(::getpid())));
}

TEST(FileLock, WaitsAndIsToldForWhom) {
  test::TempFolder dir;
  auto first = FileLock::try_acquire(dir / "shop", owner("git push"));
  ASSERT_TRUE(first);
  std::string told;
  LockWait wait;
  wait.on_wait = [&](const LockOwner& holder) {
    told = holder.command;
    first->release();
  };
  const auto second = FileLock::acquire(dir / "shop", owner("ps:scale"), wait);
  ASSERT_TRUE(second) << second.error().text();
  EXPECT_EQ(told, "git push");
  EXPECT_EQ(FileLock::last_owner(dir / "shop")->command, "ps:scale");
}

TEST(FileLock, GivesUpAtTheDeadlineAndWhenCancelled) {
  test::TempFolder dir;
  auto first = FileLock::try_acquire(dir / "shop", owner("git push"));
  ASSERT_TRUE(first);
  LockWait wait;
  wait.deadline_ms = 50;
  const auto late = FileLock::acquire(dir / "shop", owner("ps:scale"), wait);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::kTimeout);
  EXPECT_THAT(late.error().message, HasSubstr("git push"));

  const auto token = CancelToken::create();
  wait.deadline_ms = 0;
  wait.cancel = *token;
  wait.on_wait = [&](const LockOwner&) { token->cancel(); };
  const auto cancelled = FileLock::acquire(dir / "shop", owner("ps:scale"), wait);
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, Code::kCancelled);

  // The waiters that gave up must not hold it later.
  first->release();
  LockWait forever;
  EXPECT_TRUE(FileLock::acquire(dir / "shop", owner("apps:destroy"), forever));
}

TEST(FileLock, LivesAsLongAsTheChildThatGotIt) {
  test::TempFolder dir;
  auto runner = make_process_runner();
  Command plain;
  plain.argv = {"/bin/sleep", "1000"};
  Command holding = plain;
  std::unique_ptr<Child> without;
  std::unique_ptr<Child> with;
  {
    auto lock = FileLock::try_acquire(dir / "shop", owner("git push"));
    ASSERT_TRUE(lock);
    holding.pass_fds = {{lock->fd(), 10}};
    without = std::move(*runner->start(plain));
    with = std::move(*runner->start(holding));
  }  // our copy is closed, not released
  EXPECT_FALSE(FileLock::try_acquire(dir / "shop", owner("ps:scale")));
  with->signal(SIGKILL);
  ASSERT_TRUE(with->wait());
  EXPECT_TRUE(FileLock::try_acquire(dir / "shop", owner("ps:scale"))) << "the other child holds nothing";
}

TEST(FileLock, AFileDeletedMeanwhileIsMadeAnew) {
  test::TempFolder dir;
  auto first = FileLock::try_acquire(dir / "unit", owner("remove"));
  ASSERT_TRUE(first);
  LockWait wait;
  wait.on_wait = [&](const LockOwner&) { first->release_and_unlink(); };
  const auto second = FileLock::acquire(dir / "unit", owner("ensure"), wait);
  ASSERT_TRUE(second);
  EXPECT_FALSE(FileLock::try_acquire(dir / "unit", owner("third")))
      << "the lock is on the file that exists now";
}

}  // namespace
}  // namespace davit
