// The guard against workers that crash, hang and leave.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

#include "guard/run_worker.hpp"

namespace davit {
namespace {

using ::testing::HasSubstr;

WorkerSpec worker(const std::string& how, long limit_ms = 0) {
  WorkerSpec spec;
  spec.argv = {FAKE_WORKER, how, std::to_string(limit_ms)};
  spec.env = {"PATH=/usr/bin:/bin"};
  spec.kill_after_ms = 100;
  spec.watch_interval_ms = 20;
  return spec;
}

WorkerResult run(const WorkerSpec& spec) {
  auto result = run_worker(spec);
  EXPECT_TRUE(result) << (result ? "" : result.error().text());
  return result ? *result : WorkerResult{};
}

TEST(Guard, ReturnsTheCodeOfAWorkerThatFinished) {
  EXPECT_TRUE(run(worker("")).ok());
  const auto failed = run(worker("fail"));
  EXPECT_EQ(failed.end, WorkerEnd::kFinished);
  EXPECT_EQ(failed.shell_code(), 4);
  EXPECT_EQ(failed.message, "");
}

TEST(Guard, NamesThePluginThatCrashed) {
  const auto result = run(worker("segv"));
  EXPECT_EQ(result.end, WorkerEnd::kCrashed);
  EXPECT_EQ(result.message, "plugin nginx crashed in route.switch of deployment d17 (signal 11, SIGSEGV)");
  EXPECT_EQ(result.hint, "Disable it with `davit plugin:disable nginx` or DAVIT_PLUGINS_DISABLE=nginx");
  EXPECT_EQ(result.last.step, "switch");
  EXPECT_EQ(result.shell_code(), 70);
  EXPECT_EQ(run(worker("abort")).signal, SIGABRT);
  EXPECT_EQ(run(worker("kill-by-term")).end, WorkerEnd::kCrashed) << "a TERM that nobody forwarded";
}

TEST(Guard, NamesTheOuterCallAfterTheInnerOneReturned) {
  EXPECT_THAT(run(worker("outer")).message, HasSubstr("plugin outer crashed in deploy.begin"));
  const auto outside = run(worker("outside"));
  EXPECT_THAT(outside.message, HasSubstr("outside any plugin (signal 6, SIGABRT)"));
}

TEST(Guard, NamesThePluginThatCalledExit) {
  const auto result = run(worker("exit"));
  EXPECT_EQ(result.end, WorkerEnd::kEarlyExit);
  EXPECT_THAT(result.message, HasSubstr("plugin nginx ended the process in route.switch"));
}

TEST(Guard, StopsAPluginAtItsDeadline) {
  for (const auto* how : {"hang", "spin-deaf"}) {
    const auto result = run(worker(how, 50));
    EXPECT_EQ(result.end, WorkerEnd::kDeadline);
    EXPECT_THAT(result.message, HasSubstr("plugin nginx did not return from route.switch"));
  }
}

TEST(Guard, StopsTheWorkerAtItsOwnDeadlineAndWhenCancelled) {
  auto spec = worker("hang");
  spec.deadline_ms = 50;
  EXPECT_EQ(run(spec).end, WorkerEnd::kDeadline);
  spec = worker("hang");
  spec.cancel = *CancelToken::create();
  spec.cancel->cancel();
  const auto cancelled = run(spec);
  EXPECT_EQ(cancelled.end, WorkerEnd::kCancelled);
  EXPECT_EQ(cancelled.signal, SIGTERM);
}

TEST(Guard, ForwardsSignals) {
  const auto result = run(worker("signal-parent"));
  EXPECT_EQ(result.end, WorkerEnd::kCancelled);
  EXPECT_EQ(result.signal, SIGTERM);
}

TEST(Guard, PassesOnlyTheDescriptorsAskedFor) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);  // not close-on-exec on purpose
  int out[2];
  ASSERT_EQ(::pipe2(out, O_CLOEXEC), 0);
  auto spec = worker("fds");
  spec.out = out[1];
  spec.pass_fds = {{ends[1], 10}};
  EXPECT_TRUE(run(spec).ok());
  ::close(out[1]);
  char bytes[256] = {};
  EXPECT_GT(::read(out[0], bytes, sizeof bytes - 1), 0);
  EXPECT_STREQ(bytes, "0\n1\n10\n2\n3\n") << "9, the page, was closed by map(); 3 is ls's own";
  for (const int fd : {ends[0], ends[1], out[0]}) ::close(fd);
}

TEST(Guard, StartsAFreshWorkerForRecovery) {
  int asked = 0;
  const auto result =
      run_worker_with_recovery(worker("segv"), [&](const WorkerResult& why) -> std::optional<WorkerSpec> {
        EXPECT_EQ(why.last.deployment, "d17");
        return worker(++asked == 1 ? "abort" : "");
      });
  ASSERT_TRUE(result);
  EXPECT_EQ(asked, 2) << "the first recovery crashed too";
  EXPECT_TRUE(result->recovered());
  EXPECT_EQ(result->first.signal, SIGSEGV);
  const auto fine =
      run_worker_with_recovery(worker(""), [](const WorkerResult&) -> std::optional<WorkerSpec> {
        ADD_FAILURE() << "nothing to recover";
        return std::nullopt;
      });
  EXPECT_TRUE(fine->first.ok());
}

}  // namespace
}  // namespace davit
