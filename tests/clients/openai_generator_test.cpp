#include "contra4/clients/openai_generator.h"

#include <atomic>

#include <gtest/gtest.h>

#include "tests/clients/protocol_support.h"
#include "tests/support/loopback_server.h"
#include "tests/support/test_env.h"

namespace contra4::clients {
namespace {

using testing::LoopbackReply;
using testing::LoopbackRequest;
using testing::LoopbackServer;
using testing::media_request;
using testing::text_request;

constexpr char kKey[] = "sk-verysecret123";

std::vector<GenerateOutcome> ask_all(std::vector<std::string> urls,
                                     const std::vector<GenerateRequest>& requests,
                                     OpenAiApi api = OpenAiApi::kChat) {
  OpenAiProtocolOptions options;
  options.model = "tiny";
  options.base_urls = std::move(urls);
  options.key = Secret(kKey);
  options.api = api;
  EngineOptions engine;
  engine.retry.first_delay = std::chrono::milliseconds(1);
  engine.retry.max_delay = std::chrono::milliseconds(2);
  const SystemClock clock;
  const auto generator = make_openai_generator(options, engine, net::make_curl_transport(), clock);
  std::vector<GenerateOutcome> outcomes(requests.size());
  std::size_t next = 0;
  generator->run(
      [&]() -> std::optional<GenerateRequest> {
        if (next == requests.size()) return std::nullopt;
        GenerateRequest request = requests[next];
        request.ticket = next++;
        return request;
      },
      [&](GenerateOutcome outcome) {
        const std::size_t at = outcome.ticket;
        outcomes.at(at) = std::move(outcome);
      },
      {});
  return outcomes;
}

std::vector<GenerateRequest> texts(std::size_t count) {
  std::vector<GenerateRequest> requests;
  for (std::size_t i = 0; i < count; ++i) {
    requests.push_back(text_request("Scene A: x\nScene B: " + std::to_string(i)));
  }
  return requests;
}

TEST(OpenAiGenerator, AnswersThroughBothFormsOfTheApi) {
  const LoopbackServer server(testing::answer_as_model_server);
  for (const OpenAiApi api : {OpenAiApi::kChat, OpenAiApi::kCompletions}) {
    for (const auto& outcome : ask_all({server.base_url()}, texts(20), api)) {
      EXPECT_EQ(outcome.status, OutcomeStatus::kAnswered);
      EXPECT_NE(outcome.text.find("Scene "), std::string::npos);
      EXPECT_GT(outcome.usage.completion_tokens, 0);
    }
  }
  EXPECT_EQ(server.requests()[0].header("authorization"), std::string("Bearer ") + kKey);
}

TEST(OpenAiGenerator, GivesSchemasAndLogprobs) {
  const LoopbackServer server(testing::answer_as_model_server);
  auto requests = texts(2);
  requests[0].format = AnswerFormat::kSchema;
  requests[1].format = AnswerFormat::kLogprobs;
  const auto outcomes = ask_all({server.base_url()}, requests);
  EXPECT_NE(outcomes[0].text.find("\"answer\""), std::string::npos);
  EXPECT_EQ(outcomes[1].choice_logprobs.size(), 2U);
}

TEST(OpenAiGenerator, LearnsOnceForManyInFlight) {
  std::atomic<int> refusals = 0;
  const LoopbackServer server([&](const LoopbackRequest& request) -> LoopbackReply {
    if (request.body.find("\"max_tokens\"") == std::string::npos) {
      return testing::answer_as_model_server(request);
    }
    ++refusals;
    return {.status = 400,
            .body = R"({"error": {"message": "Unsupported parameter: 'max_tokens' is not supported)"
                    R"( with this model.", "param": "max_tokens"}})",
            .delay = std::chrono::milliseconds(20)};
  });
  for (const auto& outcome : ask_all({server.base_url()}, texts(200))) {
    EXPECT_EQ(outcome.status, OutcomeStatus::kAnswered);
  }
  EXPECT_GE(refusals, 1);
  EXPECT_LE(refusals, 16);  // what was in flight at the start
}

TEST(OpenAiGenerator, FailsItemsAtAServerThatRefusesWhateverItIsSent) {
  const LoopbackServer server([](const LoopbackRequest&) -> LoopbackReply {
    return {.status = 400,
            .body = R"({"error": {"message": "Unsupported: temperature max_tokens )"
                    R"(max_completion_tokens seed top_p stop response_format"}})"};
  });
  for (const auto& outcome : ask_all({server.base_url()}, texts(3))) {
    EXPECT_EQ(outcome.status, OutcomeStatus::kFailed);
  }
  EXPECT_LT(server.num_requests(), 12U);
}

TEST(OpenAiGenerator, EndsTheRunAtARefusedKeyWithoutShowingIt) {
  const LoopbackServer server([](const LoopbackRequest& request) -> LoopbackReply {
    return {.status = 401,
            .body = R"({"error": {"message": "bad key )" +
                    std::string(request.header("authorization")) + R"("}})"};
  });
  try {
    ask_all({server.base_url()}, texts(1));
    FAIL() << "went on";
  } catch (const Exception& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnauthenticated);
    EXPECT_NE(std::string(error.what()).find("OPENAI_API_KEY"), std::string::npos);
    EXPECT_EQ(std::string(error.what()).find(kKey), std::string::npos);
  }
}

TEST(OpenAiGenerator, KeepsAnEchoedKeyOutOfRawRepliesAndLogs) {
  const LoopbackServer server([](const LoopbackRequest& request) -> LoopbackReply {
    const std::string echo(request.header("authorization"));
    if (request.body.find("Scene B: 0") != std::string::npos) {
      return {.status = 400, .body = R"({"error": {"message": "odd )" + echo + R"("}})"};
    }
    return {.body = R"({"choices": [{"message": {"content": "B )" + echo + R"("}}]})"};
  });
  ::testing::internal::CaptureStderr();
  const auto outcomes = ask_all({server.base_url()}, texts(2));
  EXPECT_EQ(::testing::internal::GetCapturedStderr().find(kKey), std::string::npos);
  for (const auto& outcome : outcomes) {
    EXPECT_EQ(outcome.raw_reply.find(kKey), std::string::npos);
    EXPECT_EQ(outcome.text.find(kKey), std::string::npos);
    EXPECT_EQ(outcome.error.message.find(kKey), std::string::npos);
  }
  EXPECT_EQ(outcomes[1].text, "B Bearer ***");
}

// llama.cpp with a model that sees and watches but does not hear.
LoopbackReply answer_without_ears(const LoopbackRequest& request) {
  const auto has = [&](const char* type) { return request.body.find(type) != std::string::npos; };
  if (has("\"input_audio\"")) {
    return {.status = 500,
            .body = R"({"error": {"code": 500, "message": "audio input is not supported - hint: )"
                    R"(if this is unexpected, you may need to provide the mmproj"}})"};
  }
  if (has("\"audio_url\"") || has("\"video_url\"")) {
    return {.status = 400, .body = R"({"error": {"message": "unsupported content[].type"}})"};
  }
  return testing::answer_as_model_server(request);
}

TEST(OpenAiGenerator, ProbesEachModalityOnceAndReportsARefusedOneApart) {
  const testing::TempDir folder;
  const auto png = testing::write_bytes(folder / "a.png", testing::png_bytes());
  const auto wav = testing::write_bytes(folder / "a.wav", testing::wav_bytes());
  const auto mp4 = testing::write_bytes(folder / "a.mp4", testing::mp4_bytes());
  const auto npz = testing::write_bytes(folder / "a.npz", testing::npz_bytes());
  std::vector<GenerateRequest> requests;
  for (int i = 0; i < 10; ++i) {
    requests.push_back(media_request(png, Modality::kImage));
    requests.push_back(media_request(wav, Modality::kAudio));
    requests.push_back(media_request(mp4, Modality::kVideo));
    requests.push_back(media_request(npz, Modality::kPointCloud));
  }
  const LoopbackServer server(answer_without_ears);
  const auto outcomes = ask_all({server.base_url()}, requests);
  for (std::size_t i = 0; i < outcomes.size(); i += 4) {
    EXPECT_EQ(outcomes[i].status, OutcomeStatus::kAnswered);
    EXPECT_EQ(outcomes[i + 1].status, OutcomeStatus::kUnsupported);
    EXPECT_NE(outcomes[i + 1].error.message.find("takes no sound"), std::string::npos);
    EXPECT_EQ(outcomes[i + 2].status, OutcomeStatus::kAnswered);
    EXPECT_EQ(outcomes[i + 3].status, OutcomeStatus::kFailed);  // no whole npz
  }
  // 20 answers, and probes: a picture, two ways of a sound, two ways of a video.
  EXPECT_EQ(server.num_requests(), 25U);
}

TEST(OpenAiGenerator, SendsAModalityToTheEndpointThatTakesIt) {
  const testing::TempDir folder;
  const auto wav = testing::write_bytes(folder / "a.wav", testing::wav_bytes());
  const LoopbackServer deaf(answer_without_ears);
  const LoopbackServer hearing(testing::answer_as_model_server);
  const std::vector<GenerateRequest> requests(20, media_request(wav, Modality::kAudio));
  for (const auto& outcome : ask_all({deaf.base_url(), hearing.base_url()}, requests)) {
    EXPECT_EQ(outcome.status, OutcomeStatus::kAnswered);
    EXPECT_EQ(outcome.endpoint, hearing.base_url());
  }
}

TEST(OpenAiGenerator, DescribesModelAndEndpointsWithoutSecrets) {
  OpenAiProtocolOptions options;
  options.model = "tiny";
  options.base_urls = {"http://user:password@127.0.0.1:9/v1?key=hidden"};
  options.key = Secret(kKey);
  const SystemClock clock;
  const auto generator = make_openai_generator(options, {}, net::make_curl_transport(), clock);
  EXPECT_EQ(generator->description_json(),
            R"({"family": "openai", "model": "tiny", "api": "chat", )"
            R"("endpoints": ["http://127.0.0.1:9/v1"]})");
}

}  // namespace
}  // namespace contra4::clients
