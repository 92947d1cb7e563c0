#include "contra4/clients/gemini_protocol.h"

#include <gtest/gtest.h>

#include "tests/clients/protocol_support.h"
#include "tests/support/fake_decoder.h"
#include "tests/support/test_env.h"

namespace contra4::clients {
namespace {

using testing::add_system_message;
using testing::json;
using testing::media_request;
using testing::reply;
using testing::text_request;
using Next = ReplyVerdict::Next;
using std::chrono::milliseconds;

constexpr char kKey[] = "AIzaVerySecret123";

GeminiProtocol make() {
  GeminiProtocolOptions options;
  options.model = "gemini-2.0-flash";
  options.key = Secret(kKey);
  return GeminiProtocol(options);
}

ReplyVerdict ask(GeminiProtocol& protocol, const GenerateRequest& request,
                 const net::HttpResponse& response) {
  EXPECT_TRUE(protocol.build(request, 0));
  return protocol.parse(request, 0, response);
}

std::string candidate(const std::string& parts, const std::string& finish = "STOP") {
  return R"({"candidates": [{"content": {"parts": )" + parts + R"(, "role": "model"},
      "finishReason": ")" +
         finish + R"(", "index": 0}], "usageMetadata": {"promptTokenCount": 9,
      "candidatesTokenCount": 2, "thoughtsTokenCount": 40, "totalTokenCount": 51}})";
}

std::string error_body(int code, const std::string& message, const std::string& status,
                       const std::string& details = "[]") {
  return R"({"error": {"code": )" + std::to_string(code) + R"(, "message": ")" + message +
         R"(", "status": ")" + status + R"(", "details": )" + details + "}}";
}

TEST(GeminiUrl, NamesTheModelInThePath) {
  EXPECT_EQ(gemini_url(kGeminiBaseUrl, "gemini-2.0-flash"),
            "https://generativelanguage.googleapis.com/v1beta/models/"
            "gemini-2.0-flash:generateContent");
  EXPECT_EQ(gemini_url("http://a", "m"), "http://a/v1beta/models/m:generateContent");
  EXPECT_EQ(gemini_url("http://a/v1/", "models/m"), "http://a/v1/models/m:generateContent");
  EXPECT_EQ(gemini_url("http://a/v1", "tunedModels/x"),
            "http://a/v1/tunedModels/x:generateContent");
  EXPECT_EQ(gemini_url("http://a/v1", "m?k=1#x\n"),
            "http://a/v1/models/m%3Fk%3D1%23x%0A:generateContent");
}

TEST(GeminiDuration, IsReadInSeconds) {
  EXPECT_EQ(parse_duration("17s"), milliseconds(17'000));
  EXPECT_EQ(parse_duration("1.2036s"), milliseconds(1204));
  EXPECT_EQ(parse_duration("0s"), milliseconds(0));
  for (const char* text : {"", "s", "17", "17m", "-1s", "nans", "infs", "1e300s", "1 s", "xs"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(GeminiProtocol, WritesContentsAndConfig) {
  GeminiProtocol protocol = make();
  GenerateRequest request = text_request("question");
  add_system_message(request, "rules");
  request.sampling.temperature = 0.5;
  request.sampling.top_p = 0.9;
  request.sampling.seed = 0xffff'ffff'ffffULL;
  request.sampling.stop = {"\n"};
  const auto http = protocol.build(request, 0).value();
  EXPECT_EQ(http.headers[1].first, "x-goog-api-key");
  EXPECT_EQ(http.headers[1].second, kKey);
  EXPECT_EQ(http.url.find(kKey), std::string::npos);
  const auto root = json(http.body);
  EXPECT_EQ(*root.find_path("system_instruction", "parts", 0, "text")->find_string(), "rules");
  EXPECT_EQ(root.find("contents")->find_array()->size(), 1U);
  EXPECT_EQ(*root.find_path("contents", 0, "role")->find_string(), "user");
  EXPECT_EQ(*root.find_path("contents", 0, "parts", 0, "text")->find_string(), "question");
  const auto& config = *root.find("generationConfig");
  EXPECT_EQ(config.find("maxOutputTokens")->find_integer(), 64);
  EXPECT_EQ(config.find("topP")->find_number(), 0.9);
  EXPECT_EQ(config.find("seed")->find_integer(), 0x7fffffff);
  EXPECT_EQ(*config.find_path("stopSequences", 0)->find_string(), "\n");
}

TEST(GeminiProtocol, WritesEveryMediumInline) {
  GeminiProtocol protocol = make();
  const testing::TempDir folder;
  const auto mime_type = [&](const char* name, const std::string& bytes, Modality modality) {
    const auto request = media_request(testing::write_bytes(folder / name, bytes), modality);
    const auto root = json(protocol.build(request, 0).value().body);
    const auto* data = root.find_path("contents", 0, "parts", 1, "inline_data");
    EXPECT_FALSE(data->find("data")->find_string()->empty());
    return *data->find("mime_type")->find_string();
  };
  EXPECT_EQ(mime_type("a.png", testing::png_bytes(), Modality::kImage), "image/png");
  EXPECT_EQ(mime_type("a.wav", testing::wav_bytes(), Modality::kAudio), "audio/wav");
  EXPECT_EQ(mime_type("a.mp4", testing::mp4_bytes(), Modality::kVideo), "video/mp4");
}

TEST(GeminiProtocol, ShowsAPointCloudAsAPictureWithWords) {
  const testing::FakeDecoder decoder;
  GeminiProtocolOptions options;
  options.model = "g";
  options.media = std::make_shared<const media::RequestMedia>(
      media::RequestMediaOptions(), [&]() -> const media::MediaDecoder& { return decoder; });
  GeminiProtocol protocol(options);
  const testing::TempDir folder;
  const auto object = testing::write_bytes(folder / "a.obj", "v 0 0 0\nv 1 1 1\n");
  const auto root =
      json(protocol.build(media_request(object, Modality::kPointCloud), 0).value().body);
  const auto& parts = *root.find_path("contents", 0, "parts");
  ASSERT_EQ(parts.find_array()->size(), 3U);
  EXPECT_TRUE(parts.find_path(1, "text")->find_string()->starts_with("One and the same 3D object"));
  EXPECT_EQ(*parts.find_path(2, "inline_data", "mime_type")->find_string(), "image/jpeg");
  const auto broken = testing::write_bytes(folder / "a.npz", testing::npz_bytes());
  EXPECT_EQ(protocol.build(media_request(broken, Modality::kPointCloud), 0).error().code,
            ErrorCode::kDataLoss);
}

TEST(GeminiProtocol, SendsFramesWhereAModelTakesNoVideo) {
  const testing::FakeDecoder decoder;
  GeminiProtocolOptions options;
  options.model = "g";
  options.media = std::make_shared<const media::RequestMedia>(
      media::RequestMediaOptions{.video_frames = 2},
      [&]() -> const media::MediaDecoder& { return decoder; });
  GeminiProtocol protocol(options);
  const testing::TempDir folder;
  const auto video = testing::write_bytes(folder / "a.mp4", testing::mp4_bytes());
  const auto request = media_request(video, Modality::kVideo);
  ASSERT_EQ(protocol.readiness(request, 0), Readiness::kNeedsProbe);
  EXPECT_NE(protocol.build_probe(request, 0).value().body.find("video/mp4"), std::string::npos);
  protocol.settle_probe(
      request, 0,
      reply(400, R"({"error": {"message": "Video input modality is not enabled for models/g"}})"));
  ASSERT_EQ(protocol.readiness(request, 0), Readiness::kNeedsProbe);
  EXPECT_NE(protocol.build_probe(request, 0).value().body.find("image/jpeg"), std::string::npos);
  protocol.settle_probe(
      request, 0, reply(200, R"({"candidates": [{"content": {"parts": [{"text": "A car"}]}}]})"));
  ASSERT_EQ(protocol.readiness(request, 0), Readiness::kReady);
  const auto root = json(protocol.build(request, 0).value().body);
  EXPECT_EQ(root.find_path("contents", 0, "parts")->find_array()->size(), 4U);
}

TEST(GeminiProtocol, RestrictsTheAnswerBySchemaOrAsksForLogprobs) {
  GeminiProtocol protocol = make();
  GenerateRequest request = text_request("x");
  request.format = AnswerFormat::kSchema;
  const auto schema = json(protocol.build(request, 0).value().body);
  EXPECT_EQ(*schema.find_path("generationConfig", "responseMimeType")->find_string(),
            "application/json");
  EXPECT_EQ(
      *schema.find_path("generationConfig", "responseSchema", "properties", "answer", "enum", 1)
           ->find_string(),
      "B");
  request.format = AnswerFormat::kLogprobs;
  const auto logprobs = json(protocol.build(request, 0).value().body);
  EXPECT_EQ(logprobs.find_path("generationConfig", "logprobs")->find_integer(), 20);
  EXPECT_EQ(logprobs.find_path("generationConfig", "maxOutputTokens")->find_integer(), 1);
}

TEST(GeminiProtocol, ReadsTextWithoutThoughtsAndCountsThem) {
  GeminiProtocol protocol = make();
  const auto verdict =
      ask(protocol, text_request("x"),
          reply(200, candidate(R"([{"text": "Scene A?", "thought": true}, {"text": "Scene "},
                                   {"text": "B", "thought": false}])")));
  EXPECT_EQ(verdict.status, OutcomeStatus::kAnswered);
  EXPECT_EQ(verdict.text, "Scene B");
  EXPECT_EQ(verdict.usage.prompt_tokens, 9);
  EXPECT_EQ(verdict.usage.completion_tokens, 42);
}

TEST(GeminiProtocol, TakesAnEmptyTextForAnAnswer) {
  GeminiProtocol protocol = make();
  for (const std::string& body :
       {candidate("[]", "MAX_TOKENS"),
        std::string(R"({"candidates": [{"finishReason": "MAX_TOKENS", "index": 0}]})"),
        std::string(
            R"({"candidates": [{"content": {"role": "model"}, "finishReason": "STOP"}]})")}) {
    const auto verdict = ask(protocol, text_request("x"), reply(200, body));
    EXPECT_EQ(verdict.next, Next::kFinal) << body;
    EXPECT_EQ(verdict.status, OutcomeStatus::kAnswered) << body;
    EXPECT_EQ(verdict.text, "");
  }
}

TEST(GeminiProtocol, TellsBlockedQuestionsAndRepliesFromAnswers) {
  GeminiProtocol protocol = make();
  const auto question = ask(protocol, text_request("x"),
                            reply(200, R"({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
                                           "usageMetadata": {"promptTokenCount": 5}})"));
  EXPECT_EQ(question.status, OutcomeStatus::kBlocked);
  EXPECT_NE(question.error.message.find("PROHIBITED_CONTENT"), std::string::npos);
  EXPECT_EQ(question.usage.prompt_tokens, 5);
  for (const char* reason : {"SAFETY", "RECITATION", "PROHIBITED_CONTENT", "SPII", "BLOCKLIST"}) {
    const auto verdict =
        ask(protocol, text_request("x"), reply(200, candidate(R"([{"text": "Sc"}])", reason)));
    EXPECT_EQ(verdict.status, OutcomeStatus::kBlocked);
    EXPECT_EQ(verdict.text, "");
    EXPECT_NE(verdict.error.message.find(reason), std::string::npos);
  }
}

TEST(GeminiProtocol, AsksAgainWhatIsNoAnswer) {
  GeminiProtocol protocol = make();
  for (const std::string& body :
       {std::string(), std::string("garbage"), std::string("{}"), std::string("[]"),
        std::string(R"({"candidates": []})"),
        std::string(R"({"usageMetadata": {"promptTokenCount": 5}})"), candidate("[]", "OTHER")}) {
    EXPECT_EQ(ask(protocol, text_request("x"), reply(200, body)).next, Next::kRetry) << body;
  }
}

TEST(GeminiProtocol, WaitsAsLongAsTheBodySays) {
  GeminiProtocol protocol = make();
  const auto verdict = ask(
      protocol, text_request("x"),
      reply(429,
            error_body(429, "You exceeded your current quota", "RESOURCE_EXHAUSTED",
                       R"([{"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations":
                            [{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"}]},
                           {"@type": "type.googleapis.com/google.rpc.RetryInfo",
                            "retryDelay": "17s"}, 3])")));
  EXPECT_EQ(verdict.next, Next::kRetry);
  EXPECT_EQ(verdict.retry_after, milliseconds(17'000));
}

TEST(GeminiProtocol, EndsTheRunWhenTheDayIsUsedUp) {
  GeminiProtocol protocol = make();
  const auto verdict =
      ask(protocol, text_request("x"),
          reply(429, error_body(429, "You exceeded your current quota", "RESOURCE_EXHAUSTED",
                                R"([{"violations":
                            [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]},
                           {"retryDelay": "30s"}])")));
  EXPECT_EQ(verdict.next, Next::kEndRun);
  EXPECT_EQ(verdict.error.code, ErrorCode::kResourceExhausted);
}

TEST(GeminiProtocol, EndsTheRunForARefusedKeyOrAnUnknownModel) {
  GeminiProtocol protocol = make();
  const auto key = ask(protocol, text_request("x"),
                       reply(400, error_body(400, "API key not valid. Please pass a valid API key.",
                                             "INVALID_ARGUMENT")));
  EXPECT_EQ(key.next, Next::kEndRun);
  EXPECT_EQ(key.error.code, ErrorCode::kUnauthenticated);
  EXPECT_NE(key.error.message.find("GOOGLE_API_KEY"), std::string::npos);
  const auto denied =
      ask(protocol, text_request("x"), reply(403, error_body(403, "no", "PERMISSION_DENIED")));
  EXPECT_EQ(denied.next, Next::kEndRun);
  EXPECT_NE(denied.error.message.find("GOOGLE_API_KEY"), std::string::npos);
  const auto model =
      ask(protocol, text_request("x"),
          reply(404, error_body(404, "models/x is not found for API version v1beta", "NOT_FOUND")));
  EXPECT_EQ(model.next, Next::kEndRun);
  EXPECT_EQ(model.error.code, ErrorCode::kNotFound);
}

TEST(GeminiProtocol, LearnsWhatAModelRefuses) {
  GeminiProtocol protocol = make();
  GenerateRequest request = text_request("question");
  add_system_message(request, "rules");
  request.format = AnswerFormat::kSchema;
  EXPECT_EQ(ask(protocol, request,
                reply(400, error_body(400, "Developer instruction is not enabled for models/g",
                                      "INVALID_ARGUMENT")))
                .next,
            Next::kAskAgain);
  EXPECT_EQ(
      ask(protocol, request,
          reply(400, error_body(400, "JSON mode is not enabled for models/g", "INVALID_ARGUMENT")))
          .next,
      Next::kAskAgain);
  const auto root = json(protocol.build(request, 0).value().body);
  EXPECT_EQ(root.find("system_instruction"), nullptr);
  EXPECT_EQ(*root.find_path("contents", 0, "parts", 0, "text")->find_string(), "rules\n\n");
  EXPECT_EQ(*root.find_path("contents", 0, "parts", 1, "text")->find_string(), "question");
  EXPECT_EQ(root.find_path("generationConfig", "responseSchema"), nullptr);
}

TEST(GeminiProtocol, NamesAModalityThatTheModelRefuses) {
  GeminiProtocol protocol = make();
  const testing::TempDir folder;
  const auto request =
      media_request(testing::write_bytes(folder / "a.wav", testing::wav_bytes()), Modality::kAudio);
  EXPECT_EQ(protocol.readiness(request, 0), Readiness::kNeedsProbe);
  ASSERT_TRUE(protocol.build_probe(request, 0));
  protocol.settle_probe(
      request, 0,
      reply(400, error_body(400, "Audio input modality is not enabled for models/g",
                            "INVALID_ARGUMENT")));
  EXPECT_EQ(protocol.readiness(request, 0), Readiness::kUnsupported);
  EXPECT_NE(protocol.unsupported_reason(request, 0).message.find("takes no sound"),
            std::string::npos);
}

TEST(GeminiRedaction, LetsNoEchoedKeyThrough) {
  GeminiProtocol protocol = make();
  const std::string echo = std::string("your key ") + kKey;
  for (const auto& response : {
           reply(200, candidate("[{\"text\": \"" + echo + "\"}]")),
           reply(200, "{\"promptFeedback\": {\"blockReason\": \"" + echo + "\"}}"),
           reply(200, echo),
           reply(400, error_body(400, "API key not valid " + echo, "X")),
           reply(401, echo),
           reply(404, echo),
           reply(429, error_body(429, echo, "X")),
           reply(500, echo),
       }) {
    const auto verdict = ask(protocol, text_request("x"), response);
    EXPECT_EQ(verdict.error.message.find(kKey), std::string::npos) << response.body;
    EXPECT_EQ(verdict.text.find(kKey), std::string::npos) << response.body;
    EXPECT_EQ(protocol.redacted(response.body).find(kKey), std::string::npos);
  }
}

}  // namespace
}  // namespace contra4::clients
