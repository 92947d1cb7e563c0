#include "contra4/clients/prompted_answerer.h"

#include <utility>

#include <gtest/gtest.h>

#include "tests/clients/protocol_support.h"

namespace contra4::clients {
namespace {

// Gives each request, in order, the next outcome of a script.
class ScriptedGenerator final : public TextGenerator {
 public:
  explicit ScriptedGenerator(std::vector<GenerateOutcome> script) : script_(std::move(script)) {}
  void run(const GenerateSource& source, const GenerateSink& sink, std::stop_token) override {
    for (GenerateOutcome& outcome : script_) {
      const auto request = source();
      ASSERT_TRUE(request);
      requests.push_back(*request);
      outcome.ticket = request->ticket;
    }
    // The last one first, as servers may.
    for (auto outcome = script_.rbegin(); outcome != script_.rend(); ++outcome) sink(*outcome);
    EXPECT_FALSE(source());
  }
  std::string description_json() const override { return R"({"family": "scripted"})"; }

  std::vector<GenerateRequest> requests;

 private:
  std::vector<GenerateOutcome> script_;
};

GenerateOutcome answered(std::string text, std::vector<double> logprobs = {}) {
  GenerateOutcome outcome;
  outcome.status = OutcomeStatus::kAnswered;
  outcome.text = std::move(text);
  outcome.choice_logprobs = std::move(logprobs);
  outcome.raw_reply = "{}";
  outcome.tries = 2;
  outcome.endpoint = "http://a/v1";
  outcome.usage = {7, 3};
  return outcome;
}

struct Exchange {
  std::vector<GenerateRequest> requests;
  std::vector<Answer> answers;
};

Exchange run(AnswerFormat format, std::vector<GenerateOutcome> script) {
  const std::size_t count = script.size();
  auto generator = std::make_unique<ScriptedGenerator>(std::move(script));
  ScriptedGenerator& scripted = *generator;
  Sampling sampling;
  sampling.max_tokens = 77;
  PromptedAnswerer answerer(std::move(generator), make_prompt("contrastive"), sampling, format);
  std::uint64_t next = 0;
  Exchange result;
  answerer.run(
      [&]() -> std::optional<Question> {
        if (next == count) return std::nullopt;
        Question question;
        question.ticket = 100 + next++;
        question.item_id = "item";
        question.text = "Which?";
        question.seed = 5;
        question.scenes.resize(3);
        for (ShownScene& scene : question.scenes) scene.caption = "c";
        return question;
      },
      [&](Answer answer) { result.answers.push_back(std::move(answer)); }, {});
  result.requests = scripted.requests;
  return result;
}

TEST(PromptedAnswerer, AsksWithPromptSamplingAndLetters) {
  const Exchange result = run(AnswerFormat::kText, {answered("B")});
  const GenerateRequest& request = result.requests.at(0);
  EXPECT_EQ(request.ticket, 100U);
  EXPECT_EQ(request.name, "item");
  EXPECT_EQ(request.sampling.max_tokens, 77);
  EXPECT_EQ(request.sampling.seed, 5U);
  EXPECT_EQ(request.choices, (std::vector<std::string>{"A", "B", "C"}));
  EXPECT_NE(request.messages.at(0).parts.at(0).text.find("Scene C: c"), std::string::npos);
}

TEST(PromptedAnswerer, LeavesTextToScoring) {
  const Exchange result = run(AnswerFormat::kText, {answered("Scene B"), answered("no idea")});
  ASSERT_EQ(result.answers.size(), 2U);
  const Answer& last = result.answers[1];
  EXPECT_EQ(last.ticket, 100U);
  EXPECT_EQ(last.text, "Scene B");
  EXPECT_FALSE(last.choice);
  EXPECT_EQ(last.tries, 2);
  EXPECT_EQ(last.endpoint, "http://a/v1");
  EXPECT_EQ(last.usage.prompt_tokens, 7);
  EXPECT_EQ(last.raw_reply, "{}");
}

TEST(PromptedAnswerer, ReadsTheSchemasChoice) {
  const Exchange result =
      run(AnswerFormat::kSchema, {answered(R"({"answer": "C"})"), answered("plain text: B")});
  EXPECT_EQ(result.answers[1].choice, 2);
  EXPECT_FALSE(result.answers[0].choice);  // a server without schemas: scoring reads the text
}

TEST(PromptedAnswerer, TakesTheMostProbableLetter) {
  const Exchange result =
      run(AnswerFormat::kLogprobs, {answered("C", {-3, -0.5, -9999}), answered("<think>", {})});
  EXPECT_EQ(result.answers[1].choice, 1);
  EXPECT_EQ(result.answers[1].scores, (std::vector<double>{-3, -0.5, -9999}));
  EXPECT_FALSE(result.answers[0].choice);
  EXPECT_TRUE(result.answers[0].scores.empty());
}

TEST(PromptedAnswerer, KeepsFailuresApartFromAnswers) {
  GenerateOutcome failed;
  failed.error = {ErrorCode::kUnavailable, "gone"};
  GenerateOutcome unsupported;
  unsupported.status = OutcomeStatus::kUnsupported;
  unsupported.error = {ErrorCode::kUnimplemented, "no video"};
  const Exchange result = run(AnswerFormat::kSchema, {failed, unsupported});
  EXPECT_EQ(result.answers[1].status, OutcomeStatus::kFailed);
  EXPECT_EQ(result.answers[1].error.message, "gone");
  EXPECT_EQ(result.answers[0].status, OutcomeStatus::kUnsupported);
  EXPECT_FALSE(result.answers[0].choice);
}

TEST(PromptedAnswerer, DescribesWhatDecidesItsAnswers) {
  const PromptedAnswerer answerer(
      std::make_unique<ScriptedGenerator>(std::vector<GenerateOutcome>{}), make_prompt("published"),
      make_prompt("published").sampling(), AnswerFormat::kText);
  const auto root = testing::json(answerer.description_json());
  EXPECT_EQ(*root.find_path("generator", "family")->find_string(), "scripted");
  EXPECT_EQ(*root.find_path("prompt", "name")->find_string(), "published");
  EXPECT_EQ(*root.find("answer")->find_string(), "text");
  EXPECT_EQ(root.find("max_tokens")->find_integer(), 30);
  EXPECT_EQ(answerer.input_need(), InputNeed::kEither);
}

TEST(SchemaChoice, IsReadAlsoBehindReasoning) {
  const std::vector<std::string> letters = {"A", "B"};
  EXPECT_EQ(parse_schema_choice(R"({"answer": "B"})", letters), 1);
  EXPECT_EQ(
      parse_schema_choice("<think>{\"answer\": \"A\"}?</think>\n{\"answer\":\"B\"}\n", letters), 1);
  EXPECT_EQ(parse_schema_choice("```json\n{\"answer\": \"A\"}\n```", letters), 0);
  for (const char* text : {"", "B", "{", "}{", "{}", R"({"answer": "C"})", R"({"answer": 1})",
                           R"({"answer": "b"})", R"({"answer": "B")"}) {
    EXPECT_FALSE(parse_schema_choice(text, letters)) << text;
  }
}

TEST(AnswerFormats, HaveNames) {
  for (const char* name : {"text", "schema", "logprobs"}) {
    EXPECT_EQ(to_string(*parse_answer_format(name)), name);
  }
  EXPECT_FALSE(parse_answer_format("json"));
}

}  // namespace
}  // namespace contra4::clients
