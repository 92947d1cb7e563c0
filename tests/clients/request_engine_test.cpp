#include "contra4/clients/request_engine.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/clients/secret.h"
#include "tests/support/fake_clock.h"
#include "tests/support/loopback_server.h"

namespace contra4::clients {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using testing::FakeClock;
using ::testing::HasSubstr;
using ::testing::Not;

using Reply = Result<net::HttpResponse>;

Reply status(int code, std::string body = "", std::string retry_after = "") {
  net::HttpResponse response;
  response.status = code;
  response.body = std::move(body);
  if (!retry_after.empty()) response.headers = {{"retry-after", std::move(retry_after)}};
  return response;
}

Reply refused() {
  return Error{ErrorCode::kUnavailable, "connection refused"};
}

// What the fakes share with the test: the engine owns the fakes themselves.
struct World {
  struct Sent {
    std::string url;
    milliseconds at;  // since the start
  };
  FakeClock clock;
  const Clock::TimePoint start = clock.now();
  // Of a request, by its URL and how often that URL was asked before.
  std::function<Reply(const std::string& url, int before)> reply = [](const std::string& url, int) {
    return status(200, "answer to " + url);
  };
  milliseconds latency{10};
  std::vector<Sent> sent;
  std::map<std::string, int> asked;
  std::size_t in_flight = 0;
  std::size_t most_in_flight = 0;

  std::vector<std::string> urls() const {
    std::vector<std::string> all;
    for (const Sent& one : sent) all.push_back(one.url);
    return all;
  }
  milliseconds now() const { return std::chrono::duration_cast<milliseconds>(clock.now() - start); }
};

class FakeTransport final : public net::Transport {
 public:
  explicit FakeTransport(World& world) : world_(world) {}
  void start(net::HttpRequest request, Callback done) override {
    world_.sent.push_back({request.url, world_.now()});
    Reply reply = world_.reply(request.url, world_.asked[request.url]++);
    pending_.push_back({world_.clock.now() + world_.latency, std::move(done), std::move(reply)});
    world_.in_flight = pending_.size();
    world_.most_in_flight = std::max(world_.most_in_flight, pending_.size());
  }
  void poll(milliseconds wait) override {
    Clock::TimePoint until = world_.clock.now() + wait;
    for (const Pending& one : pending_) until = std::min(until, one.due);
    world_.clock.advance(until - world_.clock.now());
    std::deque<Pending> due;
    for (auto it = pending_.begin(); it != pending_.end();) {
      if (it->due <= world_.clock.now()) {
        due.push_back(std::move(*it));
        it = pending_.erase(it);
      } else {
        ++it;
      }
    }
    world_.in_flight = pending_.size();
    for (Pending& one : due) one.done(std::move(one.reply));
  }
  std::size_t in_flight() const override { return pending_.size(); }
  void cancel_all() override {
    pending_.clear();
    world_.in_flight = 0;
  }

 private:
  struct Pending {
    Clock::TimePoint due;
    Callback done;
    Reply reply;
  };
  World& world_;
  std::deque<Pending> pending_;
};

// Base URL of endpoint i is "http://i"; the URL of a call is that and the item's name.
struct Script {
  std::function<std::optional<Error>(const GenerateRequest&)> build_error =
      [](const GenerateRequest&) { return std::nullopt; };
  std::function<std::optional<ReplyVerdict>(const net::HttpResponse&)> verdict =
      [](const net::HttpResponse&) { return std::nullopt; };
  std::function<Readiness(const GenerateRequest&, std::size_t)> readiness =
      [](const GenerateRequest&, std::size_t) { return Readiness::kReady; };
  std::function<ReplyVerdict(std::size_t, const net::HttpResponse&)> probed;
  TokenUsage usage;
  Secret key;
};

class FakeProtocol final : public ChatProtocol {
 public:
  explicit FakeProtocol(Script& script) : script_(script) {}
  Result<net::HttpRequest> build(const GenerateRequest& request, std::size_t endpoint) override {
    if (auto error = script_.build_error(request)) return *error;
    net::HttpRequest http;
    http.url = fmt::format("http://{}/{}", endpoint, request.name);
    return http;
  }
  ReplyVerdict parse(const GenerateRequest& /*request*/, std::size_t endpoint,
                     const net::HttpResponse& response) override {
    if (auto verdict = script_.verdict(response)) return *verdict;
    if (response.status != 200) {
      return verdict_of_status(response.status, response.body, fmt::format("http://{}", endpoint),
                               "KEY");
    }
    ReplyVerdict verdict;
    verdict.status = OutcomeStatus::kAnswered;
    verdict.text = response.body;
    verdict.usage = script_.usage;
    return verdict;
  }
  std::string redacted(std::string body) const override {
    return redact(std::move(body), script_.key);
  }
  Readiness readiness(const GenerateRequest& request, std::size_t endpoint) const override {
    return script_.readiness(request, endpoint);
  }
  Error unsupported_reason(const GenerateRequest& /*request*/,
                           std::size_t /*endpoint*/) const override {
    return {ErrorCode::kUnimplemented, "no video here"};
  }
  Result<net::HttpRequest> build_probe(const GenerateRequest& /*request*/,
                                       std::size_t endpoint) override {
    net::HttpRequest http;
    http.url = fmt::format("http://{}/probe", endpoint);
    return http;
  }
  ReplyVerdict settle_probe(const GenerateRequest& request, std::size_t endpoint,
                            const net::HttpResponse& response) override {
    return script_.probed ? script_.probed(endpoint, response) : parse(request, endpoint, response);
  }

 private:
  Script& script_;
};

class RequestEngineTest : public ::testing::Test {
 protected:
  std::unique_ptr<RequestEngine> make(std::size_t num_endpoints = 1) {
    std::vector<std::string> urls;
    for (std::size_t i = 0; i < num_endpoints; ++i) urls.push_back(fmt::format("http://{}", i));
    return std::make_unique<RequestEngine>(std::move(urls), options_,
                                           std::make_unique<FakeProtocol>(script_),
                                           std::make_unique<FakeTransport>(world_), world_.clock);
  }

  // Items "0", "1", ... with those tickets.
  GenerateSource source(std::size_t count) {
    pulled_ = 0;
    return [this, count]() -> std::optional<GenerateRequest> {
      if (pulled_ == count) return std::nullopt;
      GenerateRequest request;
      request.ticket = pulled_;
      request.name = std::to_string(pulled_++);
      return request;
    };
  }
  GenerateSink sink() {
    return [this](GenerateOutcome outcome) { outcomes_.push_back(std::move(outcome)); };
  }
  void run(std::size_t count, std::size_t num_endpoints = 1) {
    make(num_endpoints)->run(source(count), sink(), {});
  }
  ErrorCode code_of_run(RequestEngine& engine, std::size_t count) {
    try {
      engine.run(source(count), sink(), {});
    } catch (const Exception& exception) {
      message_ = exception.what();
      return exception.code();
    }
    ADD_FAILURE() << "no exception";
    return ErrorCode::kInternal;
  }
  std::set<std::uint64_t> tickets() const {
    std::set<std::uint64_t> all;
    for (const GenerateOutcome& outcome : outcomes_) all.insert(outcome.ticket);
    return all;
  }
  std::size_t num_with(OutcomeStatus wanted) const {
    return static_cast<std::size_t>(
        std::ranges::count(outcomes_, wanted, &GenerateOutcome::status));
  }

  World world_;
  Script script_;
  EngineOptions options_;
  std::size_t pulled_ = 0;
  std::vector<GenerateOutcome> outcomes_;
  std::string message_;
};

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

TEST_F(RequestEngineTest, FailuresAreRetriedAfterGrowingDelays) {
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

TEST_F(RequestEngineTest, TriesAreCappedAndTheFailureSaysWhy) {
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

TEST_F(RequestEngineTest, ARequestTheServerRefusesIsNotRetried) {
  world_.reply = [](const std::string&, int) { return status(422, "bad prompt"); };
  run(1);
  ASSERT_EQ(outcomes_.size(), 1U);
  EXPECT_EQ(outcomes_[0].status, OutcomeStatus::kFailed);
  EXPECT_EQ(world_.sent.size(), 1U);
  EXPECT_EQ(outcomes_[0].raw_reply, "bad prompt");
}

TEST_F(RequestEngineTest, RetryAfterIsHonouredAndRateLimitsAreNoTries) {
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

TEST_F(RequestEngineTest, RetryAfterHoldsBackAllOfThatEndpoint) {
  options_.limiter = {.start = 1, .ceiling = 1};
  world_.reply = [](const std::string& url, int before) {
    return url == "http://0/0" && before == 0 ? status(429, "", "3") : status(200, "fine");
  };
  run(3);
  ASSERT_EQ(world_.sent.size(), 4U);
  EXPECT_GE(world_.sent[1].at, milliseconds(3'010));
}

TEST_F(RequestEngineTest, TheRestIsAskedAfterAPauseInWhichNothingIsHeld) {
  options_.limiter = {.start = 1, .ceiling = 1};
  options_.retry.max_rate_limit_tries = 0;
  world_.reply = [](const std::string& url, int) {
    return url.ends_with("/0") ? status(429, "", "3") : status(200, "fine");
  };
  run(5);
  EXPECT_EQ(num_with(OutcomeStatus::kFailed), 1U);
  EXPECT_EQ(num_with(OutcomeStatus::kAnswered), 4U);
}

TEST_F(RequestEngineTest, AnEndlessWishIsCut) {
  options_.retry.max_retry_after = milliseconds(2'000);
  world_.reply = [](const std::string&, int before) {
    return before == 0 ? status(429, "", "1e12") : status(200, "fine");
  };
  run(1);
  EXPECT_EQ(world_.sent.at(1).at, milliseconds(2'010));
}

TEST_F(RequestEngineTest, AWishInTheBodyCountsWhereThereIsNoHeader) {
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

TEST_F(RequestEngineTest, RateLimitsWithoutEndFailInTheEnd) {
  options_.retry.max_rate_limit_tries = 4;
  world_.reply = [](const std::string&, int) { return status(429); };
  run(1);
  ASSERT_EQ(outcomes_.size(), 1U);
  EXPECT_EQ(outcomes_[0].status, OutcomeStatus::kFailed);
  EXPECT_EQ(outcomes_[0].error.code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(world_.sent.size(), 5U);
}

TEST_F(RequestEngineTest, RateLimitsLowerTheConcurrency) {
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

TEST_F(RequestEngineTest, LoadIsSpreadOverEndpoints) {
  run(90, 3);
  std::map<std::string, int> calls;
  for (const std::string& url : world_.urls()) ++calls[url.substr(0, 8)];
  EXPECT_EQ(calls,
            (std::map<std::string, int>{{"http://0", 30}, {"http://1", 30}, {"http://2", 30}}));
}

TEST_F(RequestEngineTest, AnEndpointThatIsAwayLosesNoRequest) {
  world_.reply = [](const std::string& url, int) {
    return url.starts_with("http://1") ? refused() : status(200, "fine");
  };
  run(200, 2);
  EXPECT_EQ(num_with(OutcomeStatus::kAnswered), 200U);
  const auto urls = world_.urls();
  EXPECT_LT(
      std::ranges::count_if(urls, [](const auto& url) { return url.starts_with("http://1"); }), 40);
}

TEST_F(RequestEngineTest, AnEndpointThatAsksForPatienceIsLeftToTheOthers) {
  world_.reply = [](const std::string& url, int) {
    return url.starts_with("http://1") ? status(429, "", "600") : status(200, "fine");
  };
  run(20, 2);
  EXPECT_EQ(num_with(OutcomeStatus::kAnswered), 20U);
  EXPECT_LT(world_.now(), milliseconds(10'000));
}

TEST_F(RequestEngineTest, NoServerAtAllEndsTheRunAfterAFewTries) {
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

TEST_F(RequestEngineTest, AServerThatIsStillLoadingIsWaitedFor) {
  world_.reply = [&](const std::string&, int) {
    return world_.now() < milliseconds(60'000) ? status(503, "loading") : status(200, "fine");
  };
  run(50);
  EXPECT_EQ(num_with(OutcomeStatus::kAnswered), 50U);
}

TEST_F(RequestEngineTest, AnOutageShorterThanTheLimitLosesNothing) {
  world_.reply = [&](const std::string&, int) {
    const bool is_away = world_.now() > milliseconds(50) && world_.now() < milliseconds(90'000);
    return is_away ? refused() : status(200, "fine");
  };
  run(500);
  EXPECT_EQ(num_with(OutcomeStatus::kAnswered), 500U);
}

TEST_F(RequestEngineTest, ALongerOutageEndsTheRun) {
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

// The real transport against a real server.
class EngineLoopback : public ::testing::Test {
 protected:
  class Protocol final : public ChatProtocol {
   public:
    explicit Protocol(std::string url) : url_(std::move(url)) {}
    Result<net::HttpRequest> build(const GenerateRequest& request, std::size_t) override {
      net::HttpRequest http;
      http.url = url_ + "/chat/completions";
      http.body = request.name;
      return http;
    }
    ReplyVerdict parse(const GenerateRequest&, std::size_t,
                       const net::HttpResponse& response) override {
      if (response.status != 200) return verdict_of_status(response.status, "", url_, "KEY");
      ReplyVerdict verdict;
      verdict.status = OutcomeStatus::kAnswered;
      verdict.text = response.body;
      return verdict;
    }

   private:
    std::string url_;
  };

  std::map<std::uint64_t, std::string> ask(const testing::LoopbackServer& server,
                                           std::uint64_t count) {
    RequestEngine engine({server.base_url()}, options_,
                         std::make_unique<Protocol>(server.base_url()), net::make_curl_transport(),
                         clock_);
    std::map<std::uint64_t, std::string> answers;
    std::uint64_t next = 0;
    engine.run(
        [&]() -> std::optional<GenerateRequest> {
          if (next == count) return std::nullopt;
          GenerateRequest request;
          request.ticket = next++;
          request.name = "item " + std::to_string(request.ticket);
          return request;
        },
        [&](GenerateOutcome outcome) {
          EXPECT_EQ(outcome.status, OutcomeStatus::kAnswered) << outcome.error.message;
          EXPECT_TRUE(answers.emplace(outcome.ticket, outcome.text).second);
        },
        {});
    return answers;
  }

  EngineOptions options_;
  SystemClock clock_;
};

TEST_F(EngineLoopback, AServerThatFailsOftenGivesTheSameAnswersInTheEnd) {
  const testing::LoopbackServer good(testing::answer_as_model_server);
  const auto expected = ask(good, 300);
  EXPECT_EQ(expected.size(), 300U);
  const testing::LoopbackServer bad(
      testing::with_failures(testing::answer_as_model_server, 0.3, 7));
  options_.retry.first_delay = milliseconds(1);
  options_.retry.max_delay = milliseconds(5);
  options_.retry.max_tries = 30;
  options_.endpoint.first_pause = milliseconds(1);
  options_.endpoint.max_pause = milliseconds(5);
  EXPECT_EQ(ask(bad, 300), expected);
  EXPECT_GT(bad.num_requests(), 350U);
}

TEST_F(EngineLoopback, ConnectionsAreReused) {
  options_.limiter = {.start = 4, .ceiling = 4};
  const testing::LoopbackServer server(testing::answer_as_model_server);
  ask(server, 200);
  EXPECT_LE(server.num_connections(), 4U);
}

TEST_F(EngineLoopback, AStopEndsARunThatWaitsForASilentServer) {
  const testing::LoopbackServer server([](const testing::LoopbackRequest&) {
    return testing::LoopbackReply{.body = "late", .delay = std::chrono::minutes(5)};
  });
  RequestEngine engine({server.base_url()}, options_, std::make_unique<Protocol>(server.base_url()),
                       net::make_curl_transport(), clock_);
  std::stop_source stop;
  std::jthread user([&] {
    while (server.num_requests() == 0) std::this_thread::yield();
    stop.request_stop();
  });
  engine.run([] { return std::optional(GenerateRequest()); },
             [](GenerateOutcome) { ADD_FAILURE() << "reported"; }, stop.get_token());
}

}  // namespace
}  // namespace contra4::clients
