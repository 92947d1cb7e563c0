#include "contra4/clients/engine_generator.h"

#include <chrono>
#include <map>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/clients/openai_generator.h"
#include "contra4/io/json.h"
#include "tests/clients/engine_stand_in.h"
#include "tests/clients/protocol_support.h"
#include "tests/support/error_of.h"

namespace contra4::clients {
namespace {

using namespace std::chrono_literals;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::text_request;

const SystemClock& system_clock() {
  static const SystemClock clock;
  return clock;
}

EngineGenerator make(const std::vector<LocalEngineOptions>& engines) {
  return EngineGenerator(
      engines,
      [&](const std::vector<std::string>& urls) {
        OpenAiProtocolOptions options;
        options.model = engines.front().spec.served_name();
        options.base_urls = urls;
        EngineOptions engine;
        engine.retry.first_delay = 1ms;
        engine.retry.max_delay = 2ms;
        return make_openai_generator(options, engine, net::make_curl_transport(), system_clock());
      },
      net::make_curl_transport());
}

std::vector<GenerateOutcome> ask(EngineGenerator& generator, std::size_t count,
                                 const std::stop_token& stop = {}) {
  std::vector<GenerateOutcome> outcomes;
  std::size_t next = 0;
  generator.run(
      [&]() -> std::optional<GenerateRequest> {
        if (next == count) return std::nullopt;
        GenerateRequest request = text_request("question " + std::to_string(next));
        request.ticket = next++;
        return request;
      },
      [&](GenerateOutcome outcome) { outcomes.push_back(std::move(outcome)); }, stop);
  return outcomes;
}

TEST(EngineGenerator, StartsItsServerForTheFirstRequestAndKeepsItForMore) {
  const StandIn stand_in("vllm");
  EngineGenerator generator = make({stand_in.options("vllm:some/model", "--mode late")});
  EXPECT_TRUE(ask(generator, 0).empty());
  EXPECT_FALSE(std::filesystem::exists(stand_in / "server.log")) << "started for nothing";
  std::set<std::string> endpoints;
  for (const std::size_t count : {3U, 2U}) {
    const auto outcomes = ask(generator, count);
    ASSERT_EQ(outcomes.size(), count);
    for (const auto& outcome : outcomes) {
      EXPECT_EQ(outcome.text, "Scene B of some/model");
      endpoints.insert(outcome.endpoint);
    }
  }
  EXPECT_EQ(endpoints.size(), 1U);
}

TEST(EngineGenerator, SeveralServersShareTheRequests) {
  const StandIn stand_in("vllm");
  auto first = stand_in.options("vllm:x");
  auto second = stand_in.options("vllm:x");
  second.log = stand_in / "second.log";
  EngineGenerator generator = make({first, second});
  std::map<std::string, int> endpoints;
  for (const auto& outcome : ask(generator, 40)) ++endpoints[outcome.endpoint];
  EXPECT_EQ(endpoints.size(), 2U);
}

TEST(EngineGenerator, RefusesServersOfTwoModels) {
  const StandIn stand_in("vllm");
  EXPECT_THAT(error_of([&] {
                make({stand_in.options("vllm:x"), stand_in.options("vllm:y")});
              }).message,
              HasSubstr("of one model"));
}

TEST(EngineGenerator, AServerThatDiesUnderWayEndsTheRunWithItsWords) {
  const StandIn stand_in("vllm");
  EngineGenerator generator = make({stand_in.options("vllm:x", "--mode dies")});
  const Error error = error_of([&] { ask(generator, 50); });
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  EXPECT_THAT(error.message, HasSubstr("exit status 9"));
  EXPECT_THAT(error.message, HasSubstr("segmentation fault, or so"));
}

TEST(EngineGenerator, ExceptionsOfTheSinkPass) {
  const StandIn stand_in("vllm");
  EngineGenerator generator = make({stand_in.options("vllm:x")});
  bool was_asked = false;
  const Error error = error_of([&] {
    generator.run(
        [&]() -> std::optional<GenerateRequest> {
          if (std::exchange(was_asked, true)) return std::nullopt;
          return text_request("q");
        },
        [](const GenerateOutcome&) { throw Exception(ErrorCode::kResourceExhausted, "disk full"); },
        {});
  });
  EXPECT_EQ(error.message, "disk full");
}

TEST(EngineGenerator, AStopWhileItStartsReportsNothing) {
  const StandIn stand_in("vllm");
  EngineGenerator generator = make({stand_in.options("vllm:x", "--mode never")});
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(ask(generator, 3, stop.get_token()).empty());
}

TEST(EngineGenerator, StartsAnewAfterAFailure) {
  const StandIn stand_in("vllm");
  auto options = stand_in.options("vllm:x", "--mode broken");
  EngineGenerator generator = make({options});
  EXPECT_THAT(error_of([&] { ask(generator, 1); }).message, HasSubstr("CUDA out of memory"));
  EXPECT_THAT(error_of([&] { ask(generator, 1); }).message, HasSubstr("CUDA out of memory"));
}

TEST(EngineGenerator, DescribesItselfWithoutPortsAndPaths) {
  const StandIn stand_in("vllm");
  const auto options = stand_in.options("vllm:some/model", "CUDA_VISIBLE_DEVICES=1 --dtype half");
  const std::string text = make({options}).description_json();
  EXPECT_EQ(text, make({options}).description_json());
  EXPECT_EQ(text, R"({"family": "openai", "model": "some/model", "api": "chat", "engine": "vllm", )"
                  R"("engine_arguments": ["--dtype", "half"]})");
  EXPECT_THAT(text, Not(HasSubstr("127.0.0.1")));
}

}  // namespace
}  // namespace contra4::clients
