#include "contra4/clients/adaptive_limiter.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "tests/support/fake_clock.h"

namespace contra4::clients {
namespace {

using std::chrono::milliseconds;
using testing::FakeClock;

// Fills the limit, lets `latency` pass and lets all succeed, `rounds` times.
void run_full(AdaptiveLimiter& limiter, FakeClock& clock, milliseconds latency, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    std::vector<Clock::TimePoint> begun;
    while (limiter.has_room()) begun.push_back(limiter.begin());
    clock.advance(latency);
    for (const Clock::TimePoint time : begun) limiter.succeeded(time);
  }
}

TEST(AdaptiveLimiter, RefusesLimitsOutOfOrder) {
  const FakeClock clock;
  for (const LimiterOptions& wrong :
       {LimiterOptions{.start = 1, .floor = 2}, LimiterOptions{.start = 300},
        LimiterOptions{.start = 0, .floor = 0}, LimiterOptions{.latency_tolerance = 0.5},
        LimiterOptions{.latency_tolerance = -1}}) {
    try {
      const AdaptiveLimiter limiter(wrong, clock);
      FAIL();
    } catch (const Exception& exception) {
      EXPECT_EQ(exception.code(), ErrorCode::kInvalidArgument);
      EXPECT_THAT(exception.what(), ::testing::HasSubstr("[limiter]"));
    }
  }
}

TEST(AdaptiveLimiter, GrowsToTheCeilingWhileAllGoesWell) {
  FakeClock clock;
  AdaptiveLimiter limiter({.start = 4, .ceiling = 50}, clock);
  run_full(limiter, clock, milliseconds(10), 1);
  EXPECT_GT(limiter.limit(), 4);
  run_full(limiter, clock, milliseconds(10), 20);
  EXPECT_EQ(limiter.limit(), 50);
  EXPECT_EQ(limiter.in_flight(), 0);
}

TEST(AdaptiveLimiter, DoesNotGrowWhileItIsNotUsed) {
  FakeClock clock;
  AdaptiveLimiter limiter({.start = 8}, clock);
  for (int i = 0; i < 100; ++i) limiter.succeeded(limiter.begin());
  EXPECT_EQ(limiter.limit(), 8);
}

TEST(AdaptiveLimiter, HalvesOncePerBurstOfRefusals) {
  FakeClock clock;
  AdaptiveLimiter limiter({.start = 16}, clock);
  std::vector<Clock::TimePoint> begun;
  while (limiter.has_room()) begun.push_back(limiter.begin());
  clock.advance(milliseconds(5));
  for (const Clock::TimePoint time : begun) limiter.rate_limited(time);
  EXPECT_EQ(limiter.limit(), 8);
  clock.advance(milliseconds(5));
  limiter.rate_limited(limiter.begin());
  EXPECT_EQ(limiter.limit(), 4);
}

TEST(AdaptiveLimiter, NeverFallsBelowTheFloor) {
  FakeClock clock;
  AdaptiveLimiter limiter({.start = 8, .floor = 3}, clock);
  for (int i = 0; i < 20; ++i) {
    clock.advance(milliseconds(1));
    limiter.rate_limited(limiter.begin());
  }
  EXPECT_EQ(limiter.limit(), 3);
}

TEST(AdaptiveLimiter, GrowsByOnePerWindowAfterTheFirstRefusal) {
  FakeClock clock;
  AdaptiveLimiter limiter({.start = 16}, clock);
  clock.advance(milliseconds(1));
  limiter.rate_limited(limiter.begin());
  EXPECT_EQ(limiter.limit(), 8);
  run_full(limiter, clock, milliseconds(10), 4);
  EXPECT_GE(limiter.limit(), 10);
  EXPECT_LE(limiter.limit(), 12);
}

TEST(AdaptiveLimiter, HoldsWhenTheServerSlowsDownAndShrinksWhenItCrawls) {
  FakeClock clock;
  AdaptiveLimiter limiter({.start = 16}, clock);
  run_full(limiter, clock, milliseconds(100), 1);
  run_full(limiter, clock, milliseconds(500), 2);  // above four times the best: held from here on
  const int held = limiter.limit();
  run_full(limiter, clock, milliseconds(500), 2);
  EXPECT_EQ(limiter.limit(), held);
  run_full(limiter, clock, milliseconds(2'000), 2);
  EXPECT_LT(limiter.limit(), held);
  run_full(limiter, clock, milliseconds(100), 3);
  EXPECT_GT(limiter.limit(), held / 2);
}

TEST(AdaptiveLimiter, LatencyIsIgnoredOnRequestAndWhereItIsSmall) {
  FakeClock clock;
  AdaptiveLimiter blind({.start = 4, .ceiling = 64, .latency_tolerance = 0}, clock);
  run_full(blind, clock, milliseconds(10), 1);
  run_full(blind, clock, milliseconds(10'000), 10);
  EXPECT_EQ(blind.limit(), 64);
  AdaptiveLimiter quick({.start = 4, .ceiling = 64}, clock);
  run_full(quick, clock, milliseconds(1), 1);
  run_full(quick, clock, milliseconds(40), 10);
  EXPECT_EQ(quick.limit(), 64);
}

TEST(AdaptiveLimiter, AServerThatIsSlowerForGoodIsForgiven) {
  FakeClock clock;
  AdaptiveLimiter limiter({.start = 4, .ceiling = 16}, clock);
  run_full(limiter, clock, milliseconds(100), 2);
  run_full(limiter, clock, milliseconds(600), 300);
  EXPECT_EQ(limiter.limit(), 16);
}

TEST(AdaptiveLimiter, FailuresSayNothingAboutLoad) {
  FakeClock clock;
  AdaptiveLimiter limiter({.start = 4}, clock);
  for (int i = 0; i < 10; ++i) {
    limiter.begin();
    limiter.failed();
  }
  EXPECT_EQ(limiter.limit(), 4);
  EXPECT_EQ(limiter.in_flight(), 0);
}

TEST(AdaptiveLimiter, ForgetsWhatWasCancelled) {
  FakeClock clock;
  AdaptiveLimiter limiter({.start = 2}, clock);
  limiter.begin();
  limiter.begin();
  EXPECT_FALSE(limiter.has_room());
  limiter.reset_in_flight();
  EXPECT_TRUE(limiter.has_room());
  EXPECT_THROW(limiter.failed(), Exception) << "an end without a begin is our bug";
}

}  // namespace
}  // namespace contra4::clients
