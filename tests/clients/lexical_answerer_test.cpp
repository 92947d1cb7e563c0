#include "contra4/clients/lexical_answerer.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "tests/clients/answerer_support.h"

namespace contra4::clients {
namespace {

Question question_of(std::string text, const std::vector<std::string>& captions) {
  Question question = make_question(0, static_cast<int>(captions.size()));
  question.text = std::move(text);
  for (std::size_t i = 0; i < captions.size(); ++i) question.scenes[i].caption = captions[i];
  return question;
}

Answer ask(const Question& question) {
  Bm25Answerer bm25;
  return run_all(bm25, questions_from({question})).by_ticket.at(0);
}

TEST(Bm25Answerer, ChoosesTheCaptionWithTheWordsOfTheQuestion) {
  const Answer answer =
      ask(question_of("Which scene has a barking dog?", {"A cat sleeps.", "A dog is barking."}));
  EXPECT_EQ(answer.status, OutcomeStatus::kAnswered);
  EXPECT_EQ(answer.choice, 1);
  EXPECT_EQ(answer.text, "Scene B");
  ASSERT_EQ(answer.scores.size(), 2U);
  EXPECT_EQ(answer.scores[0], 0);
  EXPECT_GT(answer.scores[1], 0);
}

TEST(Bm25Answerer, ChoosesTheSameSceneInEveryOrderEvenWithoutACommonWord) {
  for (const char* text : {"Which is louder?", "Which is calmer?", "Which has a bell?"}) {
    std::vector<std::string> captions = {"a bell rings", "a bell rings twice", "a car", "a tree"};
    std::set<std::string> chosen;
    do {
      Question question = question_of(text, captions);
      for (ShownScene& scene : question.scenes) scene.id.text = "id of " + scene.caption;
      chosen.insert(captions[static_cast<std::size_t>(ask(question).choice.value_or(0))]);
    } while (std::next_permutation(captions.begin(), captions.end()));
    EXPECT_EQ(chosen.size(), 1U) << text;
  }
}

TEST(Bm25Answerer, FailsWithoutCaptionOrQuestion) {
  const Answer mute = ask(question_of("Which is louder?", {"a car", ""}));
  EXPECT_EQ(mute.status, OutcomeStatus::kFailed);
  EXPECT_NE(mute.error.message.find("item0"), std::string::npos);
  EXPECT_EQ(ask(question_of("", {"a car", "a dog"})).status, OutcomeStatus::kFailed);
  EXPECT_EQ(ask(question_of("Which?", {})).status, OutcomeStatus::kFailed);
}

TEST(Bm25Answerer, DescribesItselfAndStops) {
  Bm25Answerer bm25;
  EXPECT_EQ(bm25.input_need(), InputNeed::kCaptions);
  EXPECT_EQ(bm25.description_json(), R"({"rule": "bm25", "k1": 1.2, "b": 0.75})");
  std::stop_source stop;
  stop.request_stop();
  Answers answers;
  bm25.run(count_questions(3), answers.sink(), stop.get_token());
  EXPECT_TRUE(answers.by_ticket.empty());
}

}  // namespace
}  // namespace contra4::clients
