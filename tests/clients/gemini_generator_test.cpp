#include "contra4/clients/gemini_generator.h"

#include <chrono>
#include <utility>

#include <gtest/gtest.h>

#include "tests/clients/protocol_support.h"
#include "tests/support/loopback_server.h"

namespace contra4::clients {
namespace {

using testing::LoopbackReply;
using testing::LoopbackRequest;
using testing::LoopbackServer;
using testing::text_request;

constexpr char kKey[] = "AIzaVerySecret123";

GenerateOutcome ask(const LoopbackServer& server) {
  GeminiProtocolOptions options;
  options.model = "gemini-x";
  options.base_urls = {server.gemini_url()};
  options.key = Secret(kKey);
  const SystemClock clock;
  const auto generator = make_gemini_generator(options, {}, net::make_curl_transport(), clock);
  GenerateOutcome result;
  bool is_asked = false;
  generator->run(
      [&]() -> std::optional<GenerateRequest> {
        if (std::exchange(is_asked, true)) return std::nullopt;
        return text_request("Scene A: x Scene B: y");
      },
      [&](GenerateOutcome outcome) { result = std::move(outcome); }, {});
  return result;
}

TEST(GeminiGenerator, AnswersAtTheModelsPathWithTheKeyInItsHeader) {
  const LoopbackServer server(testing::answer_as_model_server);
  const GenerateOutcome outcome = ask(server);
  EXPECT_EQ(outcome.status, OutcomeStatus::kAnswered);
  EXPECT_NE(outcome.text.find("Scene "), std::string::npos);
  const LoopbackRequest request = server.requests().at(0);
  EXPECT_EQ(request.target, "/v1beta/models/gemini-x:generateContent");
  EXPECT_EQ(request.header("x-goog-api-key"), kKey);
}

TEST(GeminiGenerator, WaitsForTheDelayOfTheBody) {
  int calls = 0;
  const LoopbackServer server([&](const LoopbackRequest& request) -> LoopbackReply {
    if (++calls > 1) return testing::answer_as_model_server(request);
    return {.status = 429,
            .body = R"({"error": {"code": 429, "message": "slow down", )"
                    R"("status": "RESOURCE_EXHAUSTED", "details": [{"retryDelay": "0.05s"}]}})"};
  });
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(ask(server).status, OutcomeStatus::kAnswered);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(50));
}

TEST(GeminiGenerator, ReportsABlockedItemOnce) {
  const LoopbackServer server([](const LoopbackRequest&) -> LoopbackReply {
    return {.body = R"({"promptFeedback": {"blockReason": "SAFETY"}})"};
  });
  const GenerateOutcome outcome = ask(server);
  EXPECT_EQ(outcome.status, OutcomeStatus::kBlocked);
  EXPECT_EQ(server.num_requests(), 1U);
}

}  // namespace
}  // namespace contra4::clients
