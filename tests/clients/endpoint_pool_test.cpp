#include "contra4/clients/endpoint_pool.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "tests/support/fake_clock.h"

namespace contra4::clients {
namespace {

using std::chrono::milliseconds;
using testing::FakeClock;
using ::testing::HasSubstr;

bool accept_all(std::size_t /*index*/) {
  return true;
}

class EndpointPoolTest : public ::testing::Test {
 protected:
  EndpointPool make(const std::vector<std::string>& urls, int limit = 2) {
    return EndpointPool(urls, {}, {.start = limit, .ceiling = limit}, clock_);
  }
  // A call that begins now and fails a millisecond later.
  void fail(EndpointPool& pool, std::size_t index, const std::string& reason = "refused") {
    const Clock::TimePoint begun = clock_.now();
    clock_.advance(milliseconds(1));
    pool.failed(index, begun, reason);
  }
  FakeClock clock_;
};

TEST(EndpointName, IsFreeOfSecretsAndOfTheLastSlash) {
  EXPECT_EQ(endpoint_name("https://me:pw@a.b:1/v1//?key=x#y"), "https://a.b:1/v1");
}

TEST_F(EndpointPoolTest, RefusesWhatIsNoUrlWithoutShowingItsSecrets) {
  EXPECT_THROW(make({}), Exception);
  try {
    make({"http://a", "me:hush@host/v1"});
    FAIL();
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(exception.what(), ::testing::Not(HasSubstr("hush")));
  }
  EXPECT_THROW(EndpointPool({"http://a"}, {.failures_to_set_aside = 0}, {}, clock_), Exception);
}

TEST_F(EndpointPoolTest, SpreadsTheLoadEvenly) {
  EndpointPool pool = make({"http://a", "http://b", "http://c"}, 4);
  std::map<std::size_t, int> calls;
  while (const auto index = pool.choose(accept_all)) {
    pool.limiter(*index).begin();
    ++calls[*index];
  }
  EXPECT_EQ(calls, (std::map<std::size_t, int>{{0, 4}, {1, 4}, {2, 4}}));
  EXPECT_FALSE(pool.has_room());
  EXPECT_EQ(pool.total_limit(), 12);
}

TEST_F(EndpointPoolTest, IdleEndpointsTakeTurns) {
  EndpointPool pool = make({"http://a", "http://b"});
  EXPECT_EQ(pool.choose(accept_all), 0U);
  EXPECT_EQ(pool.choose(accept_all), 1U);
  EXPECT_EQ(pool.choose(accept_all), 0U);
}

TEST_F(EndpointPoolTest, OnlyAcceptedEndpointsAreChosen) {
  EndpointPool pool = make({"http://a", "http://b"});
  EXPECT_EQ(pool.choose([](std::size_t i) { return i == 1; }), 1U);
  EXPECT_EQ(pool.choose([](std::size_t i) { return i == 1; }), 1U);
  EXPECT_FALSE(pool.choose([](std::size_t) { return false; }));
}

TEST_F(EndpointPoolTest, ThreeFailuresInARowSetAside) {
  EndpointPool pool = make({"http://a", "http://b"});
  fail(pool, 0);
  fail(pool, 0);
  EXPECT_FALSE(pool.next_due());
  fail(pool, 0);
  ASSERT_TRUE(pool.next_due());
  EXPECT_EQ(*pool.next_due() - clock_.now(), milliseconds(1'000));
  EXPECT_EQ(pool.choose(accept_all), 1U);
  EXPECT_EQ(pool.choose(accept_all), 1U);
}

TEST_F(EndpointPoolTest, AReplyBetweenForgivesFailures) {
  EndpointPool pool = make({"http://a"});
  fail(pool, 0);
  fail(pool, 0);
  pool.answered(0);
  fail(pool, 0);
  fail(pool, 0);
  EXPECT_FALSE(pool.next_due());
  EXPECT_TRUE(pool.has_room());
}

TEST_F(EndpointPoolTest, ABurstOfFailuresCountsOnce) {
  EndpointPool pool = make({"http://a"});
  const Clock::TimePoint begun = clock_.now();
  clock_.advance(milliseconds(1));
  for (int i = 0; i < 16; ++i) pool.failed(0, begun, "refused");
  EXPECT_EQ(pool.find_outage()->least_failures, 1);
  EXPECT_FALSE(pool.next_due());
}

TEST_F(EndpointPoolTest, OneCallTriesWhetherItIsBackAndPausesDouble) {
  EndpointPool pool = make({"http://a"}, 16);
  for (int i = 0; i < 3; ++i) fail(pool, 0);
  milliseconds pause(1'000);
  for (int round = 0; round < 10; ++round) {
    EXPECT_FALSE(pool.choose(accept_all));
    clock_.advance(pause);
    ASSERT_TRUE(pool.choose(accept_all));
    EXPECT_FALSE(pool.choose(accept_all)) << "a second one waits";
    fail(pool, 0);
    pause = std::min(pause * 2, milliseconds(30'000));
    EXPECT_EQ(*pool.next_due() - clock_.now(), pause);
  }
  clock_.advance(pause);
  ASSERT_TRUE(pool.choose(accept_all));
  pool.answered(0);
  EXPECT_TRUE(pool.choose(accept_all)) << "back at once";
  EXPECT_FALSE(pool.find_outage());
}

TEST_F(EndpointPoolTest, TheServersOwnWishIsHonoured) {
  EndpointPool pool = make({"http://a"});
  pool.pause(0, milliseconds(5'000));
  pool.pause(0, milliseconds(100));
  pool.answered(0);
  EXPECT_FALSE(pool.has_room());
  EXPECT_EQ(*pool.next_due() - clock_.now(), milliseconds(5'000));
  clock_.advance(milliseconds(5'000));
  EXPECT_TRUE(pool.has_room());
  EXPECT_FALSE(pool.next_due());
}

TEST_F(EndpointPoolTest, AWishOutlivesTheEndOfAnOutage) {
  EndpointPool pool = make({"http://a"});
  for (int i = 0; i < 3; ++i) fail(pool, 0);
  pool.pause(0, milliseconds(30'000));
  pool.answered(0);
  EXPECT_FALSE(pool.has_room());
}

TEST_F(EndpointPoolTest, AnOutageIsOneOnlyWhenAllFail) {
  EndpointPool pool = make({"http://a/v1", "http://b/v1"});
  EXPECT_FALSE(pool.find_outage());
  fail(pool, 0, "connection refused");
  EXPECT_FALSE(pool.find_outage());
  clock_.advance(milliseconds(10));
  fail(pool, 1, "cut");
  fail(pool, 1, "cut again");
  const auto outage = pool.find_outage();
  ASSERT_TRUE(outage);
  EXPECT_TRUE(outage->never_replied);
  EXPECT_EQ(outage->least_failures, 1);
  EXPECT_EQ(outage->lasted, milliseconds(0)) << "of the endpoint that has failed least long";
  EXPECT_EQ(outage->began, clock_.now() - milliseconds(1));
  EXPECT_EQ(outage->reasons, "http://a/v1: connection refused; http://b/v1: cut again");
  pool.answered(1);
  EXPECT_FALSE(pool.find_outage());
}

TEST_F(EndpointPoolTest, ANewRunTriesAllAtOnce) {
  EndpointPool pool = make({"http://a", "http://b"});
  for (int i = 0; i < 3; ++i) fail(pool, 0);
  pool.pause(1, milliseconds(5'000));
  pool.forget_failures();
  EXPECT_EQ(pool.choose(accept_all), 0U);
  EXPECT_EQ(pool.choose(accept_all), 0U) << "the other one's wish stands";
  EXPECT_FALSE(pool.find_outage());
}

TEST_F(EndpointPoolTest, AServerThatRepliesWithFailuresIsThere) {
  EndpointPool pool = make({"http://a"});
  pool.replied(0);
  fail(pool, 0, "503");
  EXPECT_TRUE(pool.has_replied(0));
  EXPECT_FALSE(pool.find_outage()->never_replied);
}

}  // namespace
}  // namespace contra4::clients
