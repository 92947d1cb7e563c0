#include "contra4/clients/request_engine.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/clients/secret.h"
#include "tests/clients/engine_fixtures.h"

namespace contra4::clients {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class RequestEngineTest : public EngineTest {};

TEST_F(RequestEngineTest, ReportsEveryRequestOnceWithWhatItCost) {
  script_.usage = {.prompt_tokens = 10, .completion_tokens = 2};
  const auto engine = make();
  engine->run(source(100), sink(), {});
  EXPECT_EQ(outcomes_.size(), 100U);
  EXPECT_EQ(tickets().size(), 100U);
  EXPECT_EQ(engine->used().prompt_tokens, 1'000);
  const GenerateOutcome& outcome = outcomes_.front();
  EXPECT_EQ(outcome.status, OutcomeStatus::kAnswered);
  EXPECT_EQ(outcome.text, "answer to http://0/0");
  EXPECT_EQ(outcome.raw_reply, "answer to http://0/0");
  EXPECT_EQ(outcome.endpoint, "http://0");
  EXPECT_EQ(outcome.tries, 1);
  EXPECT_DOUBLE_EQ(outcome.latency_s, 0.01);
  EXPECT_EQ(outcome.usage.completion_tokens, 2);
}

TEST_F(RequestEngineTest, AnEmptySourceEndsAtOnce) {
  run(0);
  EXPECT_TRUE(outcomes_.empty());
  EXPECT_TRUE(world_.sent.empty());
}

TEST_F(RequestEngineTest, NeverPullsAheadOfTheRoomInFlight) {
  options_.limiter = {.start = 4, .ceiling = 16};
  world_.reply = [](const std::string&, int before) {
    return before == 0 ? status(429) : status(200, "late");  // many wait for their second try
  };
  std::size_t most_held = 0;
  const auto from = source(3'000);
  make()->run(
      [&] {
        most_held = std::max(most_held, pulled_ - outcomes_.size());
        return from();
      },
      sink(), {});
  EXPECT_EQ(outcomes_.size(), 3'000U);
  EXPECT_LE(most_held, 16U);
  EXPECT_LE(world_.most_in_flight, 16U);
}

TEST_F(RequestEngineTest, KeepsTheRoomFilled) {
  options_.limiter = {.start = 8, .ceiling = 8};
  run(80);
  EXPECT_EQ(world_.most_in_flight, 8U);
  EXPECT_EQ(world_.now(), milliseconds(100)) << "ten rounds of eight, 10 ms each";
}

TEST_F(RequestEngineTest, ARefusedKeyEndsTheRunAndLeavesTheEngineUsable) {
  world_.reply = [](const std::string& url, int) {
    return url.ends_with("/20") ? status(401, "who are you") : status(200, "fine");
  };
  const auto engine = make();
  EXPECT_EQ(code_of_run(*engine, 100), ErrorCode::kUnauthenticated);
  EXPECT_EQ(world_.in_flight, 0U);
  outcomes_.clear();
  world_.reply = [](const std::string&, int) { return status(200, "fine"); };
  engine->run(source(30), sink(), {});
  EXPECT_EQ(num_with(OutcomeStatus::kAnswered), 30U);
}

TEST_F(RequestEngineTest, ExceptionsOfTheSourceComeOutAndLeaveTheEngineUsable) {
  const auto engine = make();
  const auto from = source(100);
  EXPECT_THROW(engine->run(
                   [&] {
                     if (pulled_ == 20) throw std::runtime_error("disk");
                     return from();
                   },
                   sink(), {}),
               std::runtime_error);
  EXPECT_EQ(world_.in_flight, 0U);
  outcomes_.clear();
  engine->run(source(40), sink(), {});
  EXPECT_EQ(outcomes_.size(), 40U);
}

TEST_F(RequestEngineTest, ExceptionsOfTheSinkComeOutAndLeaveTheEngineUsable) {
  const auto engine = make();
  EXPECT_THROW(engine->run(source(100),
                           [&](GenerateOutcome outcome) {
                             if (outcome.ticket == 5) throw std::runtime_error("full");
                             outcomes_.push_back(std::move(outcome));
                           },
                           {}),
               std::runtime_error);
  EXPECT_EQ(world_.in_flight, 0U);
  outcomes_.clear();
  engine->run(source(40), sink(), {});
  EXPECT_EQ(outcomes_.size(), 40U);
  EXPECT_EQ(tickets().size(), 40U) << "nothing of the first run is reported in the second";
}

TEST_F(RequestEngineTest, AfterAStopNothingIsSentOrReported) {
  std::stop_source stop;
  const auto engine = make();
  engine->run(
      source(1'000),
      [&](GenerateOutcome outcome) {
        outcomes_.push_back(std::move(outcome));
        if (outcomes_.size() == 50) stop.request_stop();
      },
      stop.get_token());
  EXPECT_EQ(outcomes_.size(), 50U);
  EXPECT_EQ(world_.in_flight, 0U);
  const std::size_t sent = world_.sent.size();
  engine->run(source(10), sink(), stop.get_token());
  EXPECT_EQ(world_.sent.size(), sent) << "a stop before the run";
  EXPECT_EQ(pulled_, 0U);
}

TEST_F(RequestEngineTest, AStopEndsLongWaitsWithinASecond) {
  world_.reply = [](const std::string&, int) { return status(429, "", "500"); };
  std::stop_source stop;
  // The fake clock moves only in poll(), so this is looked at between two waits.
  script_.readiness = [](const GenerateRequest&, std::size_t) { return Readiness::kReady; };
  struct Stopping final : net::Transport {
    Stopping(World& world, std::stop_source& stop) : inner(world), world_(world), stop_(stop) {}
    void start(net::HttpRequest request, Callback done) override {
      inner.start(std::move(request), std::move(done));
    }
    void poll(milliseconds wait) override {
      inner.poll(wait);
      if (world_.now() > milliseconds(5'000) && !stop_.stop_requested()) {
        stopped_at = world_.now();
        stop_.request_stop();
      }
    }
    std::size_t in_flight() const override { return inner.in_flight(); }
    void cancel_all() override { inner.cancel_all(); }
    FakeTransport inner;
    World& world_;
    std::stop_source& stop_;
    milliseconds stopped_at{0};
  };
  RequestEngine engine({"http://0"}, options_, std::make_unique<FakeProtocol>(script_),
                       std::make_unique<Stopping>(world_, stop), world_.clock);
  engine.run(source(10), sink(), stop.get_token());
  EXPECT_TRUE(outcomes_.empty());
  EXPECT_LT(world_.now(), milliseconds(6'000));
}

TEST_F(RequestEngineTest, TheBudgetEndsTheRunAfterWhatWasInFlight) {
  script_.usage = {.prompt_tokens = 90, .completion_tokens = 10};
  options_.budget.max_tokens_total = 2'050;
  const auto engine = make();
  EXPECT_EQ(code_of_run(*engine, 1'000), ErrorCode::kResourceExhausted);
  EXPECT_EQ(num_with(OutcomeStatus::kAnswered), 20U) << "not one call over the cap";
  EXPECT_EQ(world_.sent.size(), 20U);
  EXPECT_EQ(tickets().size(), outcomes_.size());
  EXPECT_EQ(pulled_, outcomes_.size()) << "what was pulled is reported";
  EXPECT_EQ(outcomes_.back().status, OutcomeStatus::kFailed);
  EXPECT_THAT(message_, HasSubstr("2000 of 2050 tokens"));
}

TEST_F(RequestEngineTest, ABudgetThatSufficesIsNoError) {
  script_.usage = {.prompt_tokens = 100};
  options_.budget.max_tokens_total = 2'000;
  run(20);
  EXPECT_EQ(num_with(OutcomeStatus::kAnswered), 20U);
}

TEST_F(RequestEngineTest, TheBudgetHoldsWhereTheServerCountsNothing) {
  world_.reply = [](const std::string&, int) { return status(200, std::string(300, 'x')); };
  options_.budget.max_tokens_total = 1'000;
  const auto engine = make();
  EXPECT_EQ(code_of_run(*engine, 1'000), ErrorCode::kResourceExhausted);
  EXPECT_EQ(num_with(OutcomeStatus::kAnswered), 10U);
}

TEST_F(RequestEngineTest, RequestsThatWaitWhenTheBudgetEndsAreReported) {
  script_.usage = {.prompt_tokens = 600};
  options_.budget.max_tokens_total = 1'000;
  options_.limiter = {.start = 4, .ceiling = 4};
  world_.reply = [](const std::string& url, int) {
    return url.ends_with("/0") ? status(200, "fine") : status(500);
  };
  const auto engine = make();
  EXPECT_EQ(code_of_run(*engine, 10), ErrorCode::kResourceExhausted);
  EXPECT_EQ(pulled_, outcomes_.size());
}

TEST_F(RequestEngineTest, KeysThatAServerEchoesAreTakenOut) {
  script_.key = Secret("sk-verysecret");
  world_.reply = [](const std::string& url, int) -> Reply {
    if (url.ends_with("/0")) return status(200, "you sent sk-verysecret");
    if (url.ends_with("/1")) return status(400, "bad key sk-verysecret");
    return Error{ErrorCode::kResourceExhausted, "with sk-verysecret in it"};
  };
  run(3);
  ASSERT_EQ(outcomes_.size(), 3U);
  for (const GenerateOutcome& outcome : outcomes_) {
    EXPECT_THAT(outcome.raw_reply, Not(HasSubstr("verysecret")));
    EXPECT_THAT(outcome.error.message, Not(HasSubstr("verysecret")));
  }
  world_.reply = [](const std::string&, int) { return status(403, "sk-verysecret is refused"); };
  const auto engine = make();
  EXPECT_EQ(code_of_run(*engine, 1), ErrorCode::kUnauthenticated);
  EXPECT_THAT(message_, Not(HasSubstr("verysecret")));
}

TEST_F(RequestEngineTest, WhatCannotBeBuiltIsReportedWithoutACall) {
  script_.build_error = [](const GenerateRequest& request) -> std::optional<Error> {
    if (request.name == "1") return Error{ErrorCode::kUnimplemented, "no video"};
    if (request.name == "2") return Error{ErrorCode::kNotFound, "no such file"};
    return std::nullopt;
  };
  run(4);
  ASSERT_EQ(outcomes_.size(), 4U);
  EXPECT_EQ(world_.sent.size(), 2U);
  EXPECT_EQ(num_with(OutcomeStatus::kUnsupported), 1U);
  EXPECT_EQ(num_with(OutcomeStatus::kFailed), 1U);
  const auto failed =
      std::ranges::find(outcomes_, OutcomeStatus::kFailed, &GenerateOutcome::status);
  EXPECT_EQ(failed->tries, 0);
  EXPECT_EQ(failed->error.message, "no such file");
}

TEST_F(RequestEngineTest, AWrongUrlOrCertificateEndsTheRun) {
  world_.reply = [](const std::string&, int) -> Reply {
    return Error{ErrorCode::kInvalidArgument, "certificate of another host"};
  };
  const auto engine = make();
  EXPECT_EQ(code_of_run(*engine, 10), ErrorCode::kInvalidArgument);
}

TEST_F(RequestEngineTest, AnAnswerThatIsTooLargeFailsAlone) {
  world_.reply = [](const std::string& url, int) -> Reply {
    if (url.ends_with("/1")) return Error{ErrorCode::kResourceExhausted, "larger than 5 bytes"};
    return status(200, "fine");
  };
  run(3);
  EXPECT_EQ(num_with(OutcomeStatus::kAnswered), 2U);
  EXPECT_EQ(num_with(OutcomeStatus::kFailed), 1U);
  EXPECT_EQ(world_.sent.size(), 3U);
}

TEST_F(RequestEngineTest, BlockedContentIsAFinalOutcome) {
  script_.verdict = [](const net::HttpResponse&) {
    ReplyVerdict verdict;
    verdict.status = OutcomeStatus::kBlocked;
    verdict.error = {ErrorCode::kInvalidArgument, "safety"};
    return std::optional(verdict);
  };
  run(1);
  EXPECT_EQ(num_with(OutcomeStatus::kBlocked), 1U);
  EXPECT_EQ(world_.sent.size(), 1U);
}

TEST_F(RequestEngineTest, WhatWasLearnedIsUsedAtOnce) {
  bool has_learned = false;
  script_.verdict = [&](const net::HttpResponse&) -> std::optional<ReplyVerdict> {
    if (has_learned) return std::nullopt;
    has_learned = true;
    ReplyVerdict verdict;
    verdict.next = ReplyVerdict::Next::kAskAgain;
    return verdict;
  };
  options_.retry.max_tries = 1;
  run(1);
  EXPECT_EQ(num_with(OutcomeStatus::kAnswered), 1U);
  EXPECT_EQ(world_.sent.size(), 2U);
  EXPECT_EQ(world_.sent[1].at, world_.latency);
}

TEST_F(RequestEngineTest, AProtocolThatNeverLearnsFails) {
  script_.verdict = [](const net::HttpResponse&) {
    ReplyVerdict verdict;
    verdict.next = ReplyVerdict::Next::kAskAgain;
    return std::optional(verdict);
  };
  run(1);
  ASSERT_EQ(outcomes_.size(), 1U);
  EXPECT_EQ(outcomes_[0].error.code, ErrorCode::kInternal);
}

TEST_F(RequestEngineTest, OneProbePerEndpointAndThenAllGo) {
  std::set<std::size_t> probed;
  script_.readiness = [&](const GenerateRequest&, std::size_t endpoint) {
    return probed.contains(endpoint) ? Readiness::kReady : Readiness::kNeedsProbe;
  };
  script_.probed = [&](std::size_t endpoint, const net::HttpResponse&) {
    probed.insert(endpoint);
    return ReplyVerdict{};
  };
  run(40, 2);
  EXPECT_EQ(num_with(OutcomeStatus::kAnswered), 40U);
  EXPECT_EQ(world_.asked["http://0/probe"], 1);
  EXPECT_EQ(world_.asked["http://1/probe"], 1);
  EXPECT_EQ(world_.sent.size(), 42U);
}

TEST_F(RequestEngineTest, RequestsThatNeedNoProbeAreNotHeldUp) {
  bool is_probed = false;
  world_.reply = [](const std::string& url, int) {
    return url.ends_with("probe") ? status(429, "", "0") : status(200, "fine");
  };
  int probes = 0;
  script_.readiness = [&](const GenerateRequest& request, std::size_t) {
    return request.name == "0" && !is_probed ? Readiness::kNeedsProbe : Readiness::kReady;
  };
  script_.probed = [&](std::size_t, const net::HttpResponse& response) {
    is_probed = ++probes == 5;
    return is_probed ? ReplyVerdict{} : verdict_of_status(response.status, "", "e", "");
  };
  run(20);
  EXPECT_EQ(num_with(OutcomeStatus::kAnswered), 20U);
  EXPECT_EQ(outcomes_.back().ticket, 0U);
}

TEST_F(RequestEngineTest, AModalityThatEveryEndpointRefusesIsReportedApart) {
  std::map<std::size_t, Readiness> known;
  script_.readiness = [&](const GenerateRequest& request, std::size_t endpoint) {
    if (request.ticket % 2 == 0) return Readiness::kReady;
    return known.contains(endpoint) ? known[endpoint] : Readiness::kNeedsProbe;
  };
  script_.probed = [&](std::size_t endpoint, const net::HttpResponse&) {
    known[endpoint] = Readiness::kUnsupported;
    return ReplyVerdict{};
  };
  run(20, 2);
  EXPECT_EQ(num_with(OutcomeStatus::kAnswered), 10U);
  EXPECT_EQ(num_with(OutcomeStatus::kUnsupported), 10U);
  EXPECT_EQ(world_.sent.size(), 12U);
  const auto refused_one =
      std::ranges::find(outcomes_, OutcomeStatus::kUnsupported, &GenerateOutcome::status);
  EXPECT_EQ(refused_one->error.message, "no video here");
}

TEST_F(RequestEngineTest, AnEndpointThatCanTakesWhatAnotherCannot) {
  script_.readiness = [](const GenerateRequest&, std::size_t endpoint) {
    return endpoint == 1 ? Readiness::kReady : Readiness::kUnsupported;
  };
  run(20, 2);
  EXPECT_EQ(num_with(OutcomeStatus::kAnswered), 20U);
  EXPECT_TRUE(
      std::ranges::all_of(outcomes_, [](const auto& o) { return o.endpoint == "http://1"; }));
}

TEST_F(RequestEngineTest, AProbeThatFailsIsRetriedAndCountsAgainstItsRequest) {
  options_.retry.max_tries = 3;
  script_.readiness = [](const GenerateRequest&, std::size_t) { return Readiness::kNeedsProbe; };
  script_.probed = [](std::size_t, const net::HttpResponse&) {
    return verdict_of_status(500, "no luck", "http://0", "");
  };
  world_.reply = [](const std::string&, int) { return status(500); };
  run(2);
  EXPECT_EQ(num_with(OutcomeStatus::kFailed), 2U);
  EXPECT_EQ(world_.sent.size(), 6U);
}

TEST_F(RequestEngineTest, SenselessOptionsAreRefused) {
  const auto expect_refused = [this] {
    EXPECT_THROW(make(), Exception);
    options_ = {};
  };
  options_.retry.max_tries = 0;
  expect_refused();
  options_.limiter.floor = 0;
  expect_refused();
  options_.connect_timeout = milliseconds(0);
  expect_refused();
  options_.give_up_tries_at_start = 0;
  expect_refused();
  options_.retry.first_delay = milliseconds(60'000);
  expect_refused();
  EXPECT_THROW(make(0), Exception);
}

}  // namespace
}  // namespace contra4::clients
