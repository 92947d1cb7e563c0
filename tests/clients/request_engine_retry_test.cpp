// What request_engine.h does about failures, rate limits, and endpoints that are away.
#include <algorithm>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/clients/request_engine.h"
#include "tests/clients/engine_fixtures.h"

namespace contra4::clients {
namespace {

using ::testing::HasSubstr;

class RequestEngineRetryTest : public EngineTest {};

TEST_F(RequestEngineRetryTest, FailuresAreRetriedAfterGrowingDelays) {
  world_.reply = [](const std::string&, int before) {
    return before < 4 ? status(500, "oops") : status(200, "fine");
  };
  run(1);
  ASSERT_EQ(outcomes_.size(), 1U);
  EXPECT_EQ(outcomes_[0].status, OutcomeStatus::kAnswered);
  EXPECT_EQ(outcomes_[0].tries, 5);
  ASSERT_EQ(world_.sent.size(), 5U);
  for (std::size_t i = 1; i < 5; ++i) {
    const milliseconds gap = world_.sent[i].at - world_.sent[i - 1].at - world_.latency;
    EXPECT_GE(gap, milliseconds(250) * (1 << (i - 1))) << i;
  }
}

TEST_F(RequestEngineRetryTest, TriesAreCappedAndTheFailureSaysWhy) {
  options_.retry.max_tries = 3;
  world_.reply = [](const std::string& url, int) {
    return url.ends_with("/1") ? status(500, "poisonous item") : status(200, "fine");
  };
  run(5);
  EXPECT_EQ(num_with(OutcomeStatus::kAnswered), 4U);
  const auto failed = std::ranges::find(outcomes_, 1U, &GenerateOutcome::ticket);
  ASSERT_NE(failed, outcomes_.end());
  EXPECT_EQ(failed->status, OutcomeStatus::kFailed);
  EXPECT_EQ(failed->tries, 3);
  EXPECT_EQ(failed->error.code, ErrorCode::kUnavailable);
  EXPECT_THAT(failed->error.message, HasSubstr("poisonous item"));
  EXPECT_THAT(failed->error.message, HasSubstr("asked 3 times"));
  EXPECT_EQ(failed->text, "");
}

TEST_F(RequestEngineRetryTest, ARequestTheServerRefusesIsNotRetried) {
  world_.reply = [](const std::string&, int) { return status(422, "bad prompt"); };
  run(1);
  ASSERT_EQ(outcomes_.size(), 1U);
  EXPECT_EQ(outcomes_[0].status, OutcomeStatus::kFailed);
  EXPECT_EQ(world_.sent.size(), 1U);
  EXPECT_EQ(outcomes_[0].raw_reply, "bad prompt");
}

TEST_F(RequestEngineRetryTest, RetryAfterIsHonouredAndRateLimitsAreNoTries) {
  options_.retry.max_tries = 1;
  world_.reply = [](const std::string&, int before) {
    return before < 5 ? status(429, "slow down", "7") : status(200, "fine");
  };
  run(1);
  ASSERT_EQ(outcomes_.size(), 1U);
  EXPECT_EQ(outcomes_[0].status, OutcomeStatus::kAnswered);
  EXPECT_EQ(outcomes_[0].tries, 6);
  for (std::size_t i = 1; i < world_.sent.size(); ++i) {
    EXPECT_EQ(world_.sent[i].at - world_.sent[i - 1].at, milliseconds(7'010));
  }
}

TEST_F(RequestEngineRetryTest, RetryAfterHoldsBackAllOfThatEndpoint) {
  options_.limiter = {.start = 1, .ceiling = 1};
  world_.reply = [](const std::string& url, int before) {
    return url == "http://0/0" && before == 0 ? status(429, "", "3") : status(200, "fine");
  };
  run(3);
  ASSERT_EQ(world_.sent.size(), 4U);
  EXPECT_GE(world_.sent[1].at, milliseconds(3'010));
}

TEST_F(RequestEngineRetryTest, TheRestIsAskedAfterAPauseInWhichNothingIsHeld) {
  options_.limiter = {.start = 1, .ceiling = 1};
  options_.retry.max_rate_limit_tries = 0;
  world_.reply = [](const std::string& url, int) {
    return url.ends_with("/0") ? status(429, "", "3") : status(200, "fine");
  };
  run(5);
  EXPECT_EQ(num_with(OutcomeStatus::kFailed), 1U);
  EXPECT_EQ(num_with(OutcomeStatus::kAnswered), 4U);
}

TEST_F(RequestEngineRetryTest, AnEndlessWishIsCut) {
  options_.retry.max_retry_after = milliseconds(2'000);
  world_.reply = [](const std::string&, int before) {
    return before == 0 ? status(429, "", "1e12") : status(200, "fine");
  };
  run(1);
  EXPECT_EQ(world_.sent.at(1).at, milliseconds(2'010));
}

TEST_F(RequestEngineRetryTest, AWishInTheBodyCountsWhereThereIsNoHeader) {
  script_.verdict = [](const net::HttpResponse& response) -> std::optional<ReplyVerdict> {
    if (response.status != 429) return std::nullopt;
    ReplyVerdict verdict = verdict_of_status(429, "", "e", "");
    verdict.retry_after = milliseconds(4'000);
    return verdict;
  };
  world_.reply = [](const std::string&, int before) {
    return before == 0 ? status(429) : status(200, "fine");
  };
  run(1);
  EXPECT_EQ(world_.sent.at(1).at, milliseconds(4'010));
}

TEST_F(RequestEngineRetryTest, RateLimitsWithoutEndFailInTheEnd) {
  options_.retry.max_rate_limit_tries = 4;
  world_.reply = [](const std::string&, int) { return status(429); };
  run(1);
  ASSERT_EQ(outcomes_.size(), 1U);
  EXPECT_EQ(outcomes_[0].status, OutcomeStatus::kFailed);
  EXPECT_EQ(outcomes_[0].error.code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(world_.sent.size(), 5U);
}

TEST_F(RequestEngineRetryTest, RateLimitsLowerTheConcurrency) {
  options_.limiter = {.start = 32, .ceiling = 32};
  std::size_t in_flight_later = 0;
  world_.reply = [&](const std::string&, int before) {
    if (world_.now() > milliseconds(0))
      in_flight_later = std::max(in_flight_later, world_.in_flight);
    return before == 0 && world_.now() == milliseconds(0) ? status(429) : status(200, "fine");
  };
  run(64);
  EXPECT_EQ(num_with(OutcomeStatus::kAnswered), 64U);
  EXPECT_LT(in_flight_later, 24U);
}

TEST_F(RequestEngineRetryTest, LoadIsSpreadOverEndpoints) {
  run(90, 3);
  std::map<std::string, int> calls;
  for (const std::string& url : world_.urls()) ++calls[url.substr(0, 8)];
  EXPECT_EQ(calls,
            (std::map<std::string, int>{{"http://0", 30}, {"http://1", 30}, {"http://2", 30}}));
}

TEST_F(RequestEngineRetryTest, AnEndpointThatIsAwayLosesNoRequest) {
  world_.reply = [](const std::string& url, int) {
    return url.starts_with("http://1") ? refused() : status(200, "fine");
  };
  run(200, 2);
  EXPECT_EQ(num_with(OutcomeStatus::kAnswered), 200U);
  const auto urls = world_.urls();
  EXPECT_LT(
      std::ranges::count_if(urls, [](const auto& url) { return url.starts_with("http://1"); }), 40);
}

TEST_F(RequestEngineRetryTest, AnEndpointThatAsksForPatienceIsLeftToTheOthers) {
  world_.reply = [](const std::string& url, int) {
    return url.starts_with("http://1") ? status(429, "", "600") : status(200, "fine");
  };
  run(20, 2);
  EXPECT_EQ(num_with(OutcomeStatus::kAnswered), 20U);
  EXPECT_LT(world_.now(), milliseconds(10'000));
}

TEST_F(RequestEngineRetryTest, NoServerAtAllEndsTheRunAfterAFewTries) {
  world_.reply = [](const std::string&, int) { return refused(); };
  const auto engine = make(2);
  EXPECT_EQ(code_of_run(*engine, 100), ErrorCode::kUnavailable);
  EXPECT_THAT(message_, HasSubstr("http://0: connection refused"));
  EXPECT_THAT(message_, HasSubstr("http://1: connection refused"));
  EXPECT_LT(world_.now(), milliseconds(5'000));
  EXPECT_TRUE(outcomes_.empty());
  world_.reply = [](const std::string&, int) { return status(200, "back"); };
  engine->run(source(10), sink(), {});
  EXPECT_EQ(num_with(OutcomeStatus::kAnswered), 10U);
}

TEST_F(RequestEngineRetryTest, AServerThatIsStillLoadingIsWaitedFor) {
  world_.reply = [&](const std::string&, int) {
    return world_.now() < milliseconds(60'000) ? status(503, "loading") : status(200, "fine");
  };
  run(50);
  EXPECT_EQ(num_with(OutcomeStatus::kAnswered), 50U);
}

TEST_F(RequestEngineRetryTest, AnOutageShorterThanTheLimitLosesNothing) {
  world_.reply = [&](const std::string&, int) {
    const bool is_away = world_.now() > milliseconds(50) && world_.now() < milliseconds(90'000);
    return is_away ? refused() : status(200, "fine");
  };
  run(500);
  EXPECT_EQ(num_with(OutcomeStatus::kAnswered), 500U);
}

TEST_F(RequestEngineRetryTest, ALongerOutageEndsTheRun) {
  world_.reply = [&](const std::string&, int) {
    return world_.now() > milliseconds(50) ? refused() : status(200, "fine");
  };
  const auto engine = make();
  EXPECT_EQ(code_of_run(*engine, 500), ErrorCode::kUnavailable);
  EXPECT_THAT(message_, HasSubstr("run again to go on"));
  EXPECT_GE(world_.now(), milliseconds(120'000));
  EXPECT_LT(world_.now(), milliseconds(200'000));
  EXPECT_FALSE(outcomes_.empty());
}

}  // namespace
}  // namespace contra4::clients
