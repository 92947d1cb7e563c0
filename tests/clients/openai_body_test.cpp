#include "contra4/clients/openai_body.h"

#include <gtest/gtest.h>

#include "tests/clients/protocol_support.h"
#include "tests/support/fake_decoder.h"
#include "tests/support/test_env.h"

namespace contra4::clients {
namespace {

using testing::add_system_message;
using testing::json;
using testing::media_request;
using testing::text_request;

std::string body_of(const GenerateRequest& request, QuirkSet quirks = {},
                    OpenAiApi api = OpenAiApi::kChat) {
  OpenAiDialect dialect;
  dialect.model = "m";
  dialect.api = api;
  dialect.quirks = quirks;
  return write_openai_body(request, dialect).value();
}

TEST(OpenAiBody, WritesPlainTextAsAString) {
  EXPECT_EQ(body_of(text_request("Hi \"there\"\n")),
            R"({"model": "m", "messages": [{"role": "user", "content": "Hi \"there\"\n"}], )"
            R"("max_tokens": 64, "temperature": 0})");
}

TEST(OpenAiBody, SendsChanceOnlyWhereThereIsAny) {
  GenerateRequest request = text_request("x");
  request.sampling.seed = 0xffff'ffff'ffff'ffffULL;
  request.sampling.top_p = 0.9;
  EXPECT_EQ(json(body_of(request)).find("seed"), nullptr);
  EXPECT_EQ(json(body_of(request)).find("top_p"), nullptr);
  request.sampling.temperature = 0.5;
  request.sampling.stop = {"\n"};
  const auto root = json(body_of(request));
  EXPECT_EQ(root.find("seed")->find_integer(), 0x7fffffff);
  EXPECT_EQ(root.find("top_p")->find_number(), 0.9);
  EXPECT_EQ(*root.find_path("stop", 0)->find_string(), "\n");
}

TEST(OpenAiBody, LeavesOutWhatTheEndpointRefuses) {
  GenerateRequest request = text_request("x");
  request.sampling.temperature = 0.5;
  request.sampling.seed = 1;
  request.sampling.stop = {"\n"};
  request.format = AnswerFormat::kSchema;
  const auto root =
      json(body_of(request, {Quirk::kNoTemperature, Quirk::kNoTopP, Quirk::kNoSeed, Quirk::kNoStop,
                             Quirk::kNoTokenLimit, Quirk::kNoSchema}));
  EXPECT_EQ(root.find_object()->size(), 2U);  // model, messages
}

TEST(OpenAiBody, NamesAndLowersTheLimitOfTokens) {
  GenerateRequest request = text_request("x");
  request.sampling.max_tokens = 8192;
  const auto newer = json(body_of(request, {Quirk::kMaxCompletionTokens}));
  EXPECT_EQ(newer.find("max_completion_tokens")->find_integer(), 8192);
  EXPECT_EQ(newer.find("max_tokens"), nullptr);
  EXPECT_EQ(json(body_of(request, {Quirk::kSmallTokenLimit})).find("max_tokens")->find_integer(),
            kSmallTokenLimit);
}

TEST(OpenAiBody, PutsTheSystemMessageIntoTheUsersWhereItIsRefused) {
  GenerateRequest request = text_request("question");
  add_system_message(request, "rules");
  EXPECT_EQ(json(body_of(request)).find("messages")->find_array()->size(), 2U);
  const auto merged = json(body_of(request, {Quirk::kSystemInUser}));
  ASSERT_EQ(merged.find("messages")->find_array()->size(), 1U);
  EXPECT_EQ(*merged.find_path("messages", 0, "role")->find_string(), "user");
  EXPECT_EQ(*merged.find_path("messages", 0, "content")->find_string(), "rules\n\nquestion");
}

TEST(OpenAiBody, RestrictsTheAnswerBySchema) {
  GenerateRequest request = text_request("x");
  request.format = AnswerFormat::kSchema;
  const auto root = json(body_of(request));
  EXPECT_EQ(*root.find_path("response_format", "type")->find_string(), "json_schema");
  const auto* schema = root.find_path("response_format", "json_schema", "schema");
  ASSERT_NE(schema, nullptr);
  EXPECT_EQ(*schema->find_path("properties", "answer", "enum", 1)->find_string(), "B");
  EXPECT_EQ(schema->find("additionalProperties")->find_bool(), false);
}

TEST(OpenAiBody, AsksForOneTokenWithItsAlternatives) {
  GenerateRequest request = text_request("x");
  request.format = AnswerFormat::kLogprobs;
  const auto chat = json(body_of(request));
  EXPECT_EQ(chat.find("max_tokens")->find_integer(), 1);
  EXPECT_EQ(chat.find("logprobs")->find_bool(), true);
  EXPECT_EQ(chat.find("top_logprobs")->find_integer(), 20);
  const auto older = json(body_of(request, {Quirk::kFewLogprobs}, OpenAiApi::kCompletions));
  EXPECT_EQ(older.find("logprobs")->find_integer(), 5);
  EXPECT_EQ(older.find("top_logprobs"), nullptr);
}

TEST(OpenAiBody, JoinsMessagesToOnePromptForCompletions) {
  GenerateRequest request = text_request("question");
  add_system_message(request, "rules");
  const auto root = json(body_of(request, {}, OpenAiApi::kCompletions));
  EXPECT_EQ(*root.find("prompt")->find_string(), "rules\n\nquestion");
  EXPECT_EQ(root.find("messages"), nullptr);
}

TEST(OpenAiBody, BeginsTheReplyWhereAServerGoesOnFromIt) {
  GenerateRequest request = text_request("Question:");
  request.reply_prefix = "Which scene";
  const auto older = json(body_of(request, {}, OpenAiApi::kCompletions));
  EXPECT_EQ(*older.find("prompt")->find_string(), "Question: Which scene");
  EXPECT_EQ(older.find("continue_final_message"), nullptr);
  const auto chat = json(body_of(request));
  ASSERT_EQ(chat.find("messages")->find_array()->size(), 2U);
  EXPECT_EQ(*chat.find_path("messages", 1, "role")->find_string(), "assistant");
  EXPECT_EQ(*chat.find_path("messages", 1, "content")->find_string(), "Which scene");
  EXPECT_EQ(chat.find("add_generation_prompt")->find_bool(), false);
  EXPECT_EQ(chat.find("continue_final_message")->find_bool(), true);
  const auto plain = json(body_of(request, {Quirk::kNoPrefill}));
  EXPECT_EQ(plain.find("messages")->find_array()->size(), 1U);
  EXPECT_EQ(plain.find("continue_final_message"), nullptr);
  // Without a prefix there is nothing to learn about it.
  EXPECT_TRUE(possible_openai_quirks(request, OpenAiApi::kChat, {}).has(Quirk::kNoPrefill));
  EXPECT_FALSE(
      possible_openai_quirks(text_request("x"), OpenAiApi::kChat, {}).has(Quirk::kNoPrefill));
}

TEST(ReplyPrefix, StandsInFrontOfWhatWentOnFromIt) {
  const auto chat = [](const char* text) {
    return with_reply_prefix("Which scene", text, OpenAiApi::kChat);
  };
  EXPECT_EQ(chat(" has a dog?"), "Which scene has a dog?");
  EXPECT_EQ(chat("has a dog?"), "Which scene has a dog?");  // the blank was cut off
  EXPECT_EQ(chat("'s dog barks?"), "Which scene's dog barks?");
  EXPECT_EQ(chat(" Which scene has a dog?"), " Which scene has a dog?");  // given back
  EXPECT_EQ(chat("Sure! Which scene has a dog?"), "Sure! Which scene has a dog?");
  EXPECT_EQ(chat(""), "Which scene");
  EXPECT_EQ(with_reply_prefix("Which scene", "A or B?", OpenAiApi::kCompletions),
            "Which scene A or B?");
}

class OpenAiBodyWithMedia : public ::testing::Test {
 protected:
  io::JsonValue part(const GenerateRequest& request, int style) {
    OpenAiDialect dialect;
    dialect.model = "m";
    dialect.media_styles = {0, style, style};
    const auto root = json(write_openai_body(request, dialect).value());
    return *root.find_path("messages", 0, "content", 1);
  }
  testing::TempDir folder_;
};

TEST_F(OpenAiBodyWithMedia, WritesPicturesAsDataUrls) {
  const auto file = testing::write_bytes(folder_ / "lies.jpg", testing::png_bytes());
  const auto written = part(media_request(file, Modality::kImage), 0);
  EXPECT_EQ(*written.find("type")->find_string(), "image_url");
  EXPECT_TRUE(
      written.find_path("image_url", "url")->find_string()->starts_with("data:image/png;base64,"));
}

TEST_F(OpenAiBodyWithMedia, WritesSoundsInBothWays) {
  const auto file = testing::write_bytes(folder_ / "a.wav", testing::wav_bytes());
  const auto first = part(media_request(file, Modality::kAudio), 0);
  EXPECT_EQ(*first.find_path("input_audio", "format")->find_string(), "wav");
  EXPECT_TRUE(first.find_path("input_audio", "data")->find_string()->starts_with("UklGR"));
  const auto second = part(media_request(file, Modality::kAudio), 1);
  EXPECT_TRUE(
      second.find_path("audio_url", "url")->find_string()->starts_with("data:audio/wav;base64,"));
}

TEST_F(OpenAiBodyWithMedia, WritesVideosInBothWays) {
  const auto file = testing::write_bytes(folder_ / "a.mp4", testing::mp4_bytes());
  const auto first = part(media_request(file, Modality::kVideo), 0);
  EXPECT_TRUE(
      first.find_path("video_url", "url")->find_string()->starts_with("data:video/mp4;base64,"));
  const auto second = part(media_request(file, Modality::kVideo), 1);
  EXPECT_EQ(second.find_path("input_video", "data")->find_string()->find("data:"),
            std::string::npos);
}

TEST_F(OpenAiBodyWithMedia, SaysWhatIsWrongWithAFile) {
  OpenAiDialect dialect;
  dialect.model = "m";
  const auto missing = media_request(folder_ / "none.png", Modality::kImage);
  EXPECT_EQ(write_openai_body(missing, dialect).error().code, ErrorCode::kNotFound);
  const auto points = testing::write_bytes(folder_ / "a.npz", testing::npz_bytes());
  EXPECT_EQ(write_openai_body(media_request(points, Modality::kPointCloud), dialect).error().code,
            ErrorCode::kDataLoss);
}

TEST_F(OpenAiBodyWithMedia, SendsFramesAndObjectsAsPicturesWithWords) {
  const testing::FakeDecoder decoder;
  const media::RequestMedia media({.video_frames = 3},
                                  [&]() -> const media::MediaDecoder& { return decoder; });
  OpenAiDialect dialect{.model = "m", .api = OpenAiApi::kChat, .quirks = {}, .media_styles = {}};
  dialect.media = &media;
  dialect.media_styles[static_cast<std::size_t>(Channel::kVideo)] = kOpenAiFramesStyle;
  const auto types_of = [&](const GenerateRequest& request) {
    const auto root = json(write_openai_body(request, dialect).value());
    std::string types;
    for (const auto& part : *root.find_path("messages", 0, "content")->find_array()) {
      types += *part.find("type")->find_string() + " ";
    }
    return types;
  };
  const auto video = testing::write_bytes(folder_ / "a.mp4", testing::mp4_bytes());
  EXPECT_EQ(types_of(media_request(video, Modality::kVideo)),
            "text text image_url image_url image_url ");
  const auto object = testing::write_bytes(folder_ / "a.obj", "v 0 0 0\nv 1 1 1\n");
  EXPECT_EQ(types_of(media_request(object, Modality::kPointCloud)), "text text image_url ");
  const auto flac = testing::write_bytes(folder_ / "a.flac", "fLaC");
  EXPECT_EQ(types_of(media_request(flac, Modality::kAudio)), "text input_audio ");
  EXPECT_EQ(types_of(media_request(video, Modality::kAudio)), "text input_audio ");
}

TEST_F(OpenAiBodyWithMedia, TakesNoMediaInCompletions) {
  const auto file = testing::write_bytes(folder_ / "a.png", testing::png_bytes());
  OpenAiDialect dialect;
  dialect.model = "m";
  dialect.api = OpenAiApi::kCompletions;
  const auto written = write_openai_body(media_request(file, Modality::kImage), dialect);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kUnimplemented);
}

TEST(OpenAiQuirks, AreThoseOfTheParametersThatWereSent) {
  GenerateRequest request = text_request("x");
  EXPECT_EQ(possible_openai_quirks(request, OpenAiApi::kChat, {}),
            (QuirkSet{Quirk::kNoTemperature, Quirk::kMaxCompletionTokens}));
  EXPECT_EQ(possible_openai_quirks(request, OpenAiApi::kChat, {Quirk::kMaxCompletionTokens}),
            (QuirkSet{Quirk::kNoTemperature, Quirk::kNoTokenLimit}));
  EXPECT_EQ(possible_openai_quirks(request, OpenAiApi::kCompletions, {}),
            (QuirkSet{Quirk::kNoTemperature, Quirk::kNoTokenLimit}));
  request.sampling.max_tokens = 8192;
  EXPECT_TRUE(possible_openai_quirks(request, OpenAiApi::kChat, {}).has(Quirk::kSmallTokenLimit));
  EXPECT_FALSE(possible_openai_quirks(request, OpenAiApi::kChat, {Quirk::kSmallTokenLimit})
                   .has(Quirk::kSmallTokenLimit));
}

}  // namespace
}  // namespace contra4::clients
