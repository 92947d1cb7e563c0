#include "contra4/clients/openai_protocol.h"

#include <gtest/gtest.h>

#include "tests/clients/protocol_support.h"
#include "tests/support/test_env.h"

namespace contra4::clients {
namespace {

using testing::add_system_message;
using testing::json;
using testing::media_request;
using testing::reply;
using testing::text_request;
using Next = ReplyVerdict::Next;

constexpr char kKey[] = "sk-verysecret123";

OpenAiProtocol make(OpenAiApi api = OpenAiApi::kChat) {
  OpenAiProtocolOptions options;
  options.model = "some/model";
  options.base_urls = {"http://a:1/v1", "http://b:2"};
  options.api = api;
  options.key = Secret(kKey);
  return OpenAiProtocol(options);
}

std::string chat(const std::string& message, const std::string& more = "") {
  return R"({"choices": [{"index": 0, "message": )" + message + more +
         R"(}], "usage": {"prompt_tokens": 11, "completion_tokens": 3}})";
}

std::string error_body(const std::string& message, const std::string& code = "null",
                       const std::string& param = "null") {
  return R"({"error": {"message": )" + ("\"" + message + "\"") +
         R"(, "type": "invalid_request_error", "param": )" + param + R"(, "code": )" + code + "}}";
}

ReplyVerdict ask(OpenAiProtocol& protocol, const GenerateRequest& request,
                 const net::HttpResponse& response) {
  EXPECT_TRUE(protocol.build(request, 0));
  return protocol.parse(request, 0, response);
}

TEST(OpenAiUrl, IsTheBaseAsGivenWithThePathBehind) {
  const OpenAiApi c = OpenAiApi::kChat;
  EXPECT_EQ(openai_url("http://a/v1", c), "http://a/v1/chat/completions");
  EXPECT_EQ(openai_url("http://a/v1//", c), "http://a/v1/chat/completions");
  EXPECT_EQ(openai_url("http://a:80", c), "http://a:80/v1/chat/completions");
  EXPECT_EQ(openai_url("http://a/", c), "http://a/v1/chat/completions");
  EXPECT_EQ(openai_url("http://a/api", c), "http://a/api/chat/completions");
  EXPECT_EQ(openai_url("http://a/v1/chat/completions", c), "http://a/v1/chat/completions");
  EXPECT_EQ(openai_url("http://a/v1", OpenAiApi::kCompletions), "http://a/v1/completions");
  EXPECT_EQ(openai_url("https://a/openai/d?api-version=1#x", c),
            "https://a/openai/d/chat/completions?api-version=1");
}

TEST(OpenAiProtocol, NeedsAModelAndAnEndpoint) {
  OpenAiProtocolOptions options;
  EXPECT_THROW(OpenAiProtocol{options}, Exception);
  options.model = "m";
  options.base_urls.clear();
  EXPECT_THROW(OpenAiProtocol{options}, Exception);
}

TEST(OpenAiProtocol, SendsTheKeyInItsHeaderOnly) {
  OpenAiProtocol protocol = make();
  const auto http = protocol.build(text_request("hello"), 1).value();
  EXPECT_EQ(http.method, "POST");
  EXPECT_EQ(http.url, "http://b:2/v1/chat/completions");
  ASSERT_EQ(http.headers.size(), 2U);
  EXPECT_EQ(http.headers[1].first, "Authorization");
  EXPECT_EQ(http.headers[1].second, std::string("Bearer ") + kKey);
  EXPECT_EQ(http.body.find(kKey), std::string::npos);
  EXPECT_EQ(*json(http.body).find("model")->find_string(), "some/model");
}

TEST(OpenAiProtocol, SendsNoHeaderWithoutAKey) {
  OpenAiProtocolOptions options;
  options.model = "m";
  OpenAiProtocol protocol(options);
  EXPECT_EQ(protocol.build(text_request("x"), 0).value().headers.size(), 1U);
}

TEST(OpenAiProtocol, ReadsTextAndUsage) {
  OpenAiProtocol protocol = make();
  const auto verdict = ask(protocol, text_request("x"),
                           reply(200, chat(R"({"role": "assistant", "content": "Scene B",
                             "reasoning_content": "Scene A? no"})")));
  EXPECT_EQ(verdict.next, Next::kFinal);
  EXPECT_EQ(verdict.status, OutcomeStatus::kAnswered);
  EXPECT_EQ(verdict.text, "Scene B");
  EXPECT_EQ(verdict.usage.prompt_tokens, 11);
  EXPECT_EQ(verdict.usage.completion_tokens, 3);
}

TEST(OpenAiProtocol, ReadsContentInPartsAndNoContent) {
  OpenAiProtocol protocol = make();
  EXPECT_EQ(ask(protocol, text_request("x"),
                reply(200, chat(R"({"content": [{"type": "text", "text": "B"}, "!", 3,
                                   {"type": "thinking"}]})")))
                .text,
            "B!");
  const auto empty =
      ask(protocol, text_request("x"),
          reply(200, chat(R"({"content": null})", R"(, "finish_reason": "length")")));
  EXPECT_EQ(empty.status, OutcomeStatus::kAnswered);  // its tokens went into reasoning
  EXPECT_EQ(empty.text, "");
}

TEST(OpenAiProtocol, ReadsCompletions) {
  OpenAiProtocol protocol = make(OpenAiApi::kCompletions);
  const auto verdict = ask(protocol, text_request("x"),
                           reply(200, R"({"choices": [{"text": " B", "finish_reason": "stop"}]})"));
  EXPECT_EQ(verdict.text, " B");
  EXPECT_EQ(verdict.usage.prompt_tokens, 0);
}

TEST(OpenAiProtocol, TellsBlockedFromAnswered) {
  OpenAiProtocol protocol = make();
  for (const std::string& body : {
           chat(R"({"content": null, "refusal": "I can't help with that."})"),
           chat(R"({"content": "Sce"})", R"(, "finish_reason": "content_filter")"),
       }) {
    const auto verdict = ask(protocol, text_request("x"), reply(200, body));
    EXPECT_EQ(verdict.next, Next::kFinal);
    EXPECT_EQ(verdict.status, OutcomeStatus::kBlocked);
    EXPECT_EQ(verdict.text, "");
    EXPECT_NE(verdict.error.message, "");
  }
  EXPECT_EQ(ask(protocol, text_request("x"),
                reply(400, error_body("filtered by policy", "\"content_filter\"")))
                .status,
            OutcomeStatus::kBlocked);
}

TEST(OpenAiProtocol, AsksAgainWhatIsNoAnswer) {
  OpenAiProtocol protocol = make();
  for (const std::string body :
       {"", "<html>login</html>", "{\"choices\": [", "{}", "[]", "3", R"({"choices": []})",
        R"({"choices": [{}]})", R"({"choices": [{"message": null}]})",
        R"({"error": {"message": "upstream", "code": 502}})"}) {
    const auto verdict = ask(protocol, text_request("x"), reply(200, body));
    EXPECT_EQ(verdict.next, Next::kRetry) << body;
    EXPECT_NE(verdict.error.message.find("http://a:1/v1"), std::string::npos) << body;
  }
  EXPECT_EQ(ask(protocol, text_request("x"),
                reply(200, chat(R"({"content": ""})", R"(, "finish_reason": "error")")))
                .next,
            Next::kRetry);
}

TEST(OpenAiProtocol, LearnsTheOtherNameOfTheTokenLimit) {
  OpenAiProtocol protocol = make();
  const GenerateRequest request = text_request("x");
  const auto verdict = ask(
      protocol, request,
      reply(400, error_body("Unsupported parameter: 'max_tokens' is not supported with this model. "
                            "Use 'max_completion_tokens' instead.",
                            "\"unsupported_parameter\"", "\"max_tokens\"")));
  EXPECT_EQ(verdict.next, Next::kAskAgain);
  const auto again = json(protocol.build(request, 0).value().body);
  EXPECT_NE(again.find("max_completion_tokens"), nullptr);
  EXPECT_EQ(again.find("max_tokens"), nullptr);
  // The other endpoint may be another server.
  EXPECT_NE(json(protocol.build(request, 1).value().body).find("max_tokens"), nullptr);
}

TEST(OpenAiProtocol, LearnsWhichServersGoOnFromTheBeginningOfAReply) {
  GenerateRequest request = text_request("x");
  request.reply_prefix = "Which scene";
  const auto going_on = reply(200, chat(R"({"content": " has a dog?"})"));
  for (const char* words : {"Unrecognized request argument supplied: continue_final_message",
                            "This model does not support assistant message prefill.",
                            "Unexpected keys in the request: {'add_generation_prompt'}",
                            "Expected last role User or Tool for serving but got assistant"}) {
    OpenAiProtocol protocol = make();
    EXPECT_EQ(ask(protocol, request, reply(400, error_body(words))).next, Next::kAskAgain) << words;
    EXPECT_TRUE(protocol.quirks(0).has(Quirk::kNoPrefill));
    const auto again = json(protocol.build(request, 0).value().body);
    EXPECT_EQ(again.find("messages")->find_array()->size(), 1U);
    // There a reply is what it is; the other endpoint still goes on.
    EXPECT_EQ(ask(protocol, request, going_on).text, " has a dog?");
    EXPECT_TRUE(protocol.build(request, 1));
    EXPECT_EQ(protocol.parse(request, 1, going_on).text, "Which scene has a dog?");
  }
}

struct Refusal {
  const char* name;
  int status;
  const char* body;
  Quirk quirk;
};

class OpenAiRefusals : public ::testing::TestWithParam<Refusal> {};

TEST_P(OpenAiRefusals, AreLearnedFromOnceAndNeverLoop) {
  OpenAiProtocol protocol = make();
  GenerateRequest request = text_request("x");
  add_system_message(request, "rules");
  request.sampling.temperature = 0.5;
  request.sampling.seed = 3;
  request.sampling.stop = {"\n"};
  request.sampling.max_tokens = 8192;
  request.format = AnswerFormat::kSchema;
  const auto refusal = reply(GetParam().status, GetParam().body);
  EXPECT_EQ(ask(protocol, request, refusal).next, Next::kAskAgain);
  EXPECT_TRUE(protocol.quirks(0).has(GetParam().quirk));
  EXPECT_TRUE(protocol.quirks(1).is_empty());
  // A server that says the same whatever it is sent.
  int calls = 0;
  while (ask(protocol, request, refusal).next == Next::kAskAgain) ASSERT_LT(++calls, 5);
}

INSTANTIATE_TEST_SUITE_P(
    Servers, OpenAiRefusals,
    ::testing::Values(
        Refusal{"OpenAiTemperature", 400,
                R"({"error": {"message": "Unsupported value: 'temperature' does not support 0.5 with
                    this model. Only the default (1) value is supported.", "param": "temperature",
                    "code": "unsupported_value"}})",
                Quirk::kNoTemperature},
        Refusal{"OpenAiSystem", 400,
                R"({"error": {"message": "Unsupported value: 'messages[0].role' does not support
                    'system' with this model.", "param": "messages[0].role",
                    "code": "unsupported_value"}})",
                Quirk::kSystemInUser},
        Refusal{"MistralTemplate", 400,
                R"({"object": "error", "message": "Conversation roles must alternate
                    user/assistant/user/assistant/...", "type": "BadRequestError", "code": 400})",
                Quirk::kSystemInUser},
        Refusal{"LlamaCppTemplate", 500,
                R"({"error": {"code": 500, "message": "Only user, assistant and tool roles are
                    supported, got system", "type": "server_error"}})",
                Quirk::kSystemInUser},
        Refusal{"GemmaTemplate", 400, R"({"error": {"message": "System role not supported"}})",
                Quirk::kSystemInUser},
        Refusal{"TransformersSeed", 422,
                R"({"detail": "Unexpected keys in the request: {'seed'}"})", Quirk::kNoSeed},
        Refusal{"PydanticTopP", 422,
                R"({"detail": [{"type": "extra_forbidden", "loc": ["body", "top_p"],
                    "msg": "Extra inputs are not permitted"}]})",
                Quirk::kNoTopP},
        Refusal{"GrokStop", 400, R"({"error": "Model grok does not support parameter stop."})",
                Quirk::kNoStop},
        Refusal{"DeepSeekSchema", 400,
                R"({"error": {"message": "This response_format type is unavailable now"}})",
                Quirk::kNoSchema},
        Refusal{"GroqSchema", 400,
                R"({"error": {"message": "This model does not support response format
                    `json_schema`"}})",
                Quirk::kNoSchema},
        Refusal{"VllmTooManyTokens", 400,
                R"({"object": "error", "message": "'max_tokens' or 'max_completion_tokens' is too
                    large: 8192. This model's maximum context length is 4096 tokens and your request
                    has 200 input tokens (8192 > 4096 - 200).", "code": 400})",
                Quirk::kSmallTokenLimit},
        Refusal{"VllmTooManyTokensOlder", 400,
                R"({"message": "This model's maximum context length is 4096 tokens. However, you
                    requested 8392 tokens (200 in the messages, 8192 in the completion)."})",
                Quirk::kSmallTokenLimit}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(OpenAiProtocol, AsksAgainAllThatWereSentBeforeTheLesson) {
  OpenAiProtocol protocol = make();
  const auto refusal =
      reply(422, R"({"detail": "Unexpected keys in the request: {'temperature'}"})");
  const GenerateRequest first = text_request("x", 1);
  const GenerateRequest second = text_request("y", 2);
  ASSERT_TRUE(protocol.build(first, 0));
  ASSERT_TRUE(protocol.build(second, 0));
  EXPECT_EQ(protocol.parse(first, 0, refusal).next, Next::kAskAgain);
  EXPECT_EQ(protocol.parse(second, 0, refusal).next, Next::kAskAgain);
  ASSERT_TRUE(protocol.build(second, 0));
  EXPECT_EQ(protocol.parse(second, 0, refusal).next, Next::kFinal);
}

TEST(OpenAiProtocol, FailsAnItemThatIsTooLong) {
  OpenAiProtocol protocol = make();
  const auto verdict =
      ask(protocol, text_request("x"),
          reply(400, error_body("This model's maximum context length is 10 tokens. However, your "
                                "request has 12 input tokens.",
                                "\"context_length_exceeded\"")));
  EXPECT_EQ(verdict.next, Next::kFinal);
  EXPECT_EQ(verdict.status, OutcomeStatus::kFailed);
  EXPECT_NE(verdict.error.message.find("context"), std::string::npos);
}

TEST(OpenAiProtocol, EndsTheRunForARefusedKeyWithoutShowingIt) {
  OpenAiProtocol protocol = make();
  for (const int status : {401, 403}) {
    const auto verdict =
        ask(protocol, text_request("x"),
            reply(status, error_body(std::string("Incorrect API key provided: ") + kKey)));
    EXPECT_EQ(verdict.next, Next::kEndRun);
    EXPECT_EQ(verdict.error.code, ErrorCode::kUnauthenticated);
    EXPECT_NE(verdict.error.message.find("OPENAI_API_KEY"), std::string::npos);
    EXPECT_EQ(verdict.error.message.find(kKey), std::string::npos);
  }
}

TEST(OpenAiProtocol, EndsTheRunForAnUnknownModelOrPath) {
  OpenAiProtocol protocol = make();
  for (const std::string& body :
       {error_body("The model `x` does not exist.", "\"model_not_found\""),
        std::string("404 page not found")}) {
    const auto verdict = ask(protocol, text_request("x"), reply(404, body));
    EXPECT_EQ(verdict.next, Next::kEndRun);
    EXPECT_EQ(verdict.error.code, ErrorCode::kNotFound);
  }
  EXPECT_EQ(
      ask(protocol, text_request("x"), reply(400, error_body("foo is not a valid model ID"))).next,
      Next::kEndRun);
}

TEST(OpenAiProtocol, EndsTheRunWithoutCreditAndRetriesWhenToldToWait) {
  OpenAiProtocol protocol = make();
  const auto spent =
      ask(protocol, text_request("x"),
          reply(429, error_body("You exceeded your current quota", "\"insufficient_quota\"")));
  EXPECT_EQ(spent.next, Next::kEndRun);
  EXPECT_EQ(spent.error.code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(ask(protocol, text_request("x"),
                reply(429, error_body("Rate limit reached", "\"rate_limit_exceeded\"")))
                .next,
            Next::kRetry);
  EXPECT_EQ(ask(protocol, text_request("x"), reply(503, "overloaded")).next, Next::kRetry);
}

GenerateRequest logprobs_request() {
  GenerateRequest request = text_request("x");
  request.format = AnswerFormat::kLogprobs;
  return request;
}

TEST(OpenAiProtocol, ReadsLogprobsOfTheLetters) {
  OpenAiProtocol protocol = make();
  const auto verdict =
      ask(protocol, logprobs_request(),
          reply(200, chat(R"({"content": "B"})",
                          R"(, "logprobs": {"content": [{"token": "B", "logprob": -0.1,
                             "top_logprobs": [{"token": "A", "logprob": -3}]}]})")));
  EXPECT_EQ(verdict.status, OutcomeStatus::kAnswered);
  EXPECT_EQ(verdict.choice_logprobs, (std::vector<double>{-3, -0.1}));
}

TEST(OpenAiProtocol, EndsTheRunWhereNoLogprobsAreGiven) {
  for (const auto& response : {
           reply(200, chat(R"({"content": "B"})", R"(, "logprobs": null)")),
           reply(400, error_body("logprobs are not supported with reasoning models")),
           reply(422, R"({"detail": "Unexpected keys in the request: {'top_logprobs'}"})"),
       }) {
    OpenAiProtocol protocol = make();
    const auto verdict = ask(protocol, logprobs_request(), response);
    EXPECT_EQ(verdict.next, Next::kEndRun) << response.body;
    EXPECT_NE(verdict.error.message.find("--answer text"), std::string::npos);
  }
}

TEST(OpenAiProtocol, AsksForFewerLogprobs) {
  OpenAiProtocol protocol = make();
  EXPECT_EQ(ask(protocol, logprobs_request(),
                reply(400, error_body("Requested sample logprobs of 20, which is greater than max "
                                      "allowed: 5")))
                .next,
            Next::kAskAgain);
  EXPECT_EQ(
      json(protocol.build(logprobs_request(), 0).value().body).find("top_logprobs")->find_integer(),
      5);
}

class OpenAiMedia : public ::testing::Test {
 protected:
  GenerateRequest video() {
    return media_request(testing::write_bytes(folder_ / "a.mp4", testing::mp4_bytes()),
                         Modality::kVideo);
  }
  GenerateRequest picture(std::uint64_t ticket = 1) {
    return media_request(testing::write_bytes(folder_ / "a.png", testing::png_bytes()),
                         Modality::kImage, ticket);
  }
  ReplyVerdict probe(const GenerateRequest& request, const net::HttpResponse& response) {
    EXPECT_EQ(protocol_.readiness(request, 0), Readiness::kNeedsProbe);
    const auto http = protocol_.build_probe(request, 0);
    EXPECT_TRUE(http);
    sent_ = http ? http.value().body : "";
    return protocol_.settle_probe(request, 0, response);
  }
  testing::TempDir folder_;
  OpenAiProtocol protocol_ = make();
  std::string sent_;
};

TEST_F(OpenAiMedia, FindsTheWayAServerTakesVideos) {
  const GenerateRequest request = video();
  probe(request, reply(400, error_body("unsupported content[].type")));
  EXPECT_NE(sent_.find("video_url"), std::string::npos);
  probe(request, reply(200, chat(R"({"content": "A dog."})")));
  EXPECT_NE(sent_.find("input_video"), std::string::npos);
  EXPECT_EQ(protocol_.readiness(request, 0), Readiness::kReady);
  EXPECT_EQ(protocol_.readiness(request, 1), Readiness::kNeedsProbe);
  EXPECT_NE(protocol_.build(request, 0).value().body.find("input_video"), std::string::npos);
}

TEST_F(OpenAiMedia, NamesWhatAServerRefuses) {
  const GenerateRequest request = picture();
  const auto verdict =
      probe(request, reply(500, R"({"error": {"code": 500, "message": "image input is not supported
          - hint: if this is unexpected, you may need to provide the mmproj",
          "type": "server_error"}})"));
  EXPECT_EQ(verdict.next, Next::kFinal);
  EXPECT_EQ(protocol_.readiness(request, 0), Readiness::kUnsupported);
  const Error reason = protocol_.unsupported_reason(request, 0);
  EXPECT_EQ(reason.code, ErrorCode::kUnimplemented);
  EXPECT_NE(reason.message.find("http://a:1/v1 takes no picture"), std::string::npos);
}

TEST_F(OpenAiMedia, TakesA404AboutImagesForARefusal) {
  const GenerateRequest request = picture();
  EXPECT_EQ(
      probe(request, reply(404, error_body("No endpoints found that support image input", "404")))
          .next,
      Next::kFinal);
  EXPECT_EQ(protocol_.readiness(request, 0), Readiness::kUnsupported);
}

TEST_F(OpenAiMedia, LearnsFromAProbeAndProbesAgain) {
  const GenerateRequest request = picture();
  EXPECT_EQ(probe(request, reply(422, R"({"detail": "Unexpected keys: {'temperature'}"})")).next,
            Next::kAskAgain);
  EXPECT_EQ(probe(request, reply(422, R"({"detail": "Unexpected keys: {'temperature'}"})")).next,
            Next::kFinal);  // the same words again are no lesson
  EXPECT_EQ(json(sent_).find("temperature"), nullptr);
}

TEST_F(OpenAiMedia, EndsTheRunWhenAProbeMeetsARefusedKey) {
  EXPECT_EQ(probe(picture(), reply(401, error_body("no"))).next, Next::kEndRun);
}

TEST_F(OpenAiMedia, RetriesAProbeThatMeetsTrouble) {
  const GenerateRequest request = picture();
  EXPECT_EQ(probe(request, reply(429, error_body("slow down"))).next, Next::kRetry);
  EXPECT_EQ(probe(request, reply(503, "busy")).next, Next::kRetry);
  EXPECT_EQ(probe(request, reply(200, "garbage")).next, Next::kRetry);
  EXPECT_EQ(protocol_.readiness(request, 0), Readiness::kNeedsProbe);
}

TEST_F(OpenAiMedia, LetsABadFileFailByItself) {
  const GenerateRequest bad = picture(7);
  probe(bad, reply(400, error_body("cannot identify image file")));
  EXPECT_EQ(protocol_.readiness(bad, 0), Readiness::kReady);
  EXPECT_EQ(protocol_.readiness(picture(8), 0), Readiness::kNeedsProbe);
  EXPECT_EQ(ask(protocol_, bad, reply(400, error_body("cannot identify image file"))).status,
            OutcomeStatus::kFailed);
}

TEST_F(OpenAiMedia, TakesWhatWasBlockedForSeen) {
  const GenerateRequest request = picture();
  probe(request, reply(400, error_body("no", "\"content_filter\"")));
  EXPECT_EQ(protocol_.readiness(request, 0), Readiness::kReady);
}

TEST_F(OpenAiMedia, CountsAnItemWithTooManyMediaAsUnsupported) {
  const GenerateRequest request = picture();
  probe(request, reply(200, chat(R"({"content": "x"})")));
  const auto verdict =
      ask(protocol_, request,
          reply(400, error_body("At most 1 image(s) may be provided in one prompt.")));
  EXPECT_EQ(verdict.status, OutcomeStatus::kUnsupported);
  EXPECT_EQ(verdict.error.code, ErrorCode::kUnimplemented);
}

TEST_F(OpenAiMedia, ProbesNothingForCompletions) {
  OpenAiProtocol protocol = make(OpenAiApi::kCompletions);
  EXPECT_EQ(protocol.readiness(picture(), 0), Readiness::kReady);
  EXPECT_EQ(protocol.build(picture(), 0).error().code, ErrorCode::kUnimplemented);
}

TEST(OpenAiRedaction, LetsNoEchoedKeyThrough) {
  OpenAiProtocol protocol = make();
  const std::string echo = std::string("your key ") + kKey + " is nice";
  const std::vector<net::HttpResponse> responses = {
      reply(200, chat("{\"content\": \"" + echo + "\"}")),
      reply(200, chat("{\"content\": null, \"refusal\": \"" + echo + "\"}")),
      reply(200, echo),
      reply(200, "{\"detail\": \"" + echo + "\"}"),
      reply(400, error_body(echo)),
      reply(401, error_body(echo)),
      reply(404, echo),
      reply(422, "{\"detail\": \"unexpected temperature " + echo + "\"}"),
      reply(429, error_body(echo, "\"insufficient_quota\"")),
      reply(500, echo),
      {.status = 200, .headers = {{"content-type", echo}}, .body = "x"},
  };
  for (const auto& response : responses) {
    ::testing::internal::CaptureStderr();
    const auto verdict = ask(protocol, text_request("x"), response);
    EXPECT_EQ(::testing::internal::GetCapturedStderr().find(kKey), std::string::npos);
    EXPECT_EQ(verdict.error.message.find(kKey), std::string::npos) << response.body;
    EXPECT_EQ(verdict.text.find(kKey), std::string::npos) << response.body;
    EXPECT_EQ(protocol.redacted(response.body).find(kKey), std::string::npos);
  }
  EXPECT_EQ(protocol.redacted(echo), "your key *** is nice");
}

}  // namespace
}  // namespace contra4::clients
