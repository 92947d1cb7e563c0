#include "contra4/clients/embedding_answerer.h"

#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "tests/clients/answerer_support.h"

namespace contra4::clients {
namespace {

// Texts "x,y" as that vector, and a log of what was asked.
class PlainEmbedder final : public Embedder {
 public:
  explicit PlainEmbedder(std::vector<std::string>* log) : log_(log) {}
  Embeddings embed(std::span<const std::string> texts) override {
    Embeddings result;
    result.dimension = 2;
    for (const std::string& text : texts) {
      log_->push_back(text);
      const float x = std::stof(text);
      const float y = std::stof(text.substr(text.find(',') + 1));
      const float norm = std::sqrt(x * x + y * y);
      result.values.push_back(x / norm);
      result.values.push_back(y / norm);
    }
    return result;
  }
  std::string description_json() const override { return R"({"model": "plain"})"; }

 private:
  std::vector<std::string>* log_;
};

Question ask(std::uint64_t ticket, const std::string& text, std::vector<std::string> captions) {
  Question question = make_question(ticket, static_cast<int>(captions.size()));
  question.text = text;
  for (std::size_t i = 0; i < captions.size(); ++i) question.scenes[i].caption = captions[i];
  return question;
}

TEST(EmbeddingAnswerer, ChoosesTheNearestCaptionAndTheFirstOfEquals) {
  std::vector<std::string> log;
  EmbeddingAnswerer answerer(std::make_unique<PlainEmbedder>(&log));
  const Answers answers = run_all(answerer, questions_from({ask(0, "1,0", {"0,1", "1,1", "5,1"}),
                                                            ask(1, "1,0", {"0,1", "0,1"})}));
  EXPECT_EQ(answers.by_ticket.at(0).choice, 2);
  EXPECT_EQ(answers.by_ticket.at(0).text, "Scene C");
  ASSERT_EQ(answers.by_ticket.at(0).scores.size(), 3U);
  EXPECT_NEAR(answers.by_ticket.at(0).scores[1], std::sqrt(.5), 1e-6);
  EXPECT_EQ(answers.by_ticket.at(1).choice, 0);
  EXPECT_EQ(answerer.description_json(), R"({"model": "plain"})");
}

TEST(EmbeddingAnswerer, EmbedsEachTextOnceAcrossBatches) {
  std::vector<std::string> log;
  EmbeddingAnswerer answerer(std::make_unique<PlainEmbedder>(&log),
                             {.max_batch = 2, .max_cached_texts = 100});
  std::vector<Question> questions;
  for (std::uint64_t i = 0; i < 9; ++i) questions.push_back(ask(i, "1,0", {"0,1", "1,1"}));
  const Answers answers = run_all(answerer, questions_from(questions));
  EXPECT_EQ(answers.count(OutcomeStatus::kAnswered), 9);
  EXPECT_EQ(log.size(), 3U);
}

TEST(EmbeddingAnswerer, DropsItsVectorsWhenTheyAreTooMany) {
  std::vector<std::string> log;
  EmbeddingAnswerer answerer(std::make_unique<PlainEmbedder>(&log),
                             {.max_batch = 1, .max_cached_texts = 3});
  std::vector<Question> questions;
  for (std::uint64_t i = 0; i < 20; ++i) {
    questions.push_back(ask(i, "1,0", {"1," + std::to_string(i + 1), "0,1"}));
  }
  const Answers answers = run_all(answerer, questions_from(questions));
  EXPECT_EQ(answers.count(OutcomeStatus::kAnswered), 20);
  for (const auto& [ticket, answer] : answers.by_ticket) EXPECT_EQ(answer.choice, 0);
  EXPECT_EQ(log.size(), 60U);
}

TEST(EmbeddingAnswerer, FailsAQuestionThatLacksACaption) {
  std::vector<std::string> log;
  EmbeddingAnswerer answerer(std::make_unique<PlainEmbedder>(&log));
  const Answers answers =
      run_all(answerer, questions_from({ask(0, "1,0", {"", "1,1"}), ask(1, "", {"1,0", "1,1"}),
                                        ask(2, "1,0", {"1,0", "1,1"})}));
  EXPECT_EQ(answers.count(OutcomeStatus::kFailed), 2);
  EXPECT_NE(answers.by_ticket.at(0).error.message.find("item0"), std::string::npos);
  EXPECT_EQ(answers.by_ticket.at(2).choice, 0);
}

TEST(EmbeddingAnswerer, StopsBeforeItEmbeds) {
  std::vector<std::string> log;
  EmbeddingAnswerer answerer(std::make_unique<PlainEmbedder>(&log));
  std::stop_source stop;
  stop.request_stop();
  Answers answers;
  answerer.run(count_questions(3), answers.sink(), stop.get_token());
  EXPECT_TRUE(answers.by_ticket.empty());
  EXPECT_TRUE(log.empty());
}

TEST(EmbeddingAnswerer, AStopKeepsTheQuestionsThatWereReady) {
  std::vector<std::string> log;
  EmbeddingAnswerer answerer(std::make_unique<PlainEmbedder>(&log),
                             {.max_batch = 2, .max_cached_texts = 100});
  std::vector<Question> questions;
  for (std::uint64_t i = 0; i < 9; ++i) questions.push_back(ask(i, "1,0", {"0,1", "1,1"}));
  std::stop_source stop;
  int num_answers = 0;
  answerer.run(
      questions_from(questions),
      [&](Answer) {
        ++num_answers;
        stop.request_stop();
      },
      stop.get_token());
  EXPECT_EQ(num_answers, 2);
}

TEST(EmbeddingAnswerer, RefusesToHoldNothing) {
  EXPECT_THROW(EmbeddingAnswerer(nullptr, {.max_batch = 0}), Exception);
}

}  // namespace
}  // namespace contra4::clients
