// An engine between a made-up transport and a made-up protocol, with a clock that jumps.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "contra4/clients/request_engine.h"
#include "contra4/clients/secret.h"
#include "tests/support/fake_clock.h"

namespace contra4::clients {

using std::chrono::milliseconds;
using testing::FakeClock;

using Reply = Result<net::HttpResponse>;

inline Reply status(int code, std::string body = "", std::string retry_after = "") {
  net::HttpResponse response;
  response.status = code;
  response.body = std::move(body);
  if (!retry_after.empty()) response.headers = {{"retry-after", std::move(retry_after)}};
  return response;
}

inline Reply refused() {
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

class EngineTest : public ::testing::Test {
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

}  // namespace contra4::clients
