// Forms of time.
#include "base/clock.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.hpp"

namespace davit {
namespace {

TEST(Clock, TimesAreWrittenInUtc) {
  EXPECT_EQ(iso8601_utc(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(iso8601_utc(1'709'210'096'789), "2024-02-29T12:34:56Z");
}

TEST(Clock, DurationsAreWrittenForPeople) {
  EXPECT_EQ(duration_text(0), "0ms");
  EXPECT_EQ(duration_text(999), "999ms");
  EXPECT_EQ(duration_text(3'000), "3s");
  EXPECT_EQ(duration_text(250'000), "4m 10s");
  EXPECT_EQ(duration_text(7'500'000), "2h 5m");
}

TEST(Clock, TheSystemClockKnowsTheCenturyAndItsMonotonicHandDoesNotGoBack) {
  const SystemClock clock;
  EXPECT_GT(clock.now_unix_ms(), 1'700'000'000'000);
  const auto before = clock.now_mono_ms();
  EXPECT_GE(clock.now_mono_ms(), before);
}

TEST(Clock, TheFakeMovesOnlyWhenTold) {
  fakes::FakeClock clock(5'000);
  const auto mono_ms = clock.now_mono_ms();
  clock.advance_ms(250);
  EXPECT_EQ(clock.now_unix_ms(), 5'250);
  EXPECT_EQ(clock.now_mono_ms(), mono_ms + 250);
  clock.set_unix_ms(1);
  EXPECT_EQ(clock.now_unix_ms(), 1);
  EXPECT_EQ(clock.now_mono_ms(), mono_ms + 250);
}

}  // namespace
}  // namespace davit
