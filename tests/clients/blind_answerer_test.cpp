#include "contra4/clients/blind_answerer.h"

#include <gtest/gtest.h>

#include "tests/clients/answerer_support.h"

namespace contra4::clients {
namespace {

BlindAnswerer answerer(const std::string& rule) {
  return BlindAnswerer(scoring::make_blind_rule(rule, {}));
}

TEST(BlindAnswerer, AnswersWithTheSceneOfTheRule) {
  BlindAnswerer blind = answerer("always-B");
  const Answers answers = run_all(blind, count_questions(3));
  ASSERT_EQ(answers.count(OutcomeStatus::kAnswered), 3);
  EXPECT_EQ(answers.by_ticket.at(0).choice, 1);
  EXPECT_EQ(answers.by_ticket.at(0).text, "Scene B");
  EXPECT_EQ(blind.input_need(), InputNeed::kNothing);
  EXPECT_EQ(blind.description_json(), R"({"rule": "always-B"})");
}

TEST(BlindAnswerer, AnswersNothingWhereTheRuleHasNoScene) {
  BlindAnswerer blind = answerer("always-D");
  const Answers answers = run_all(blind, count_questions(1));
  EXPECT_EQ(answers.by_ticket.at(0).status, OutcomeStatus::kAnswered);
  EXPECT_EQ(answers.by_ticket.at(0).choice, std::nullopt);
  EXPECT_EQ(answers.by_ticket.at(0).text, "");
}

TEST(BlindAnswerer, DrawsByTheSeedOfTheQuestion) {
  BlindAnswerer first = answerer("chance");
  BlindAnswerer second = answerer("chance");
  const Answers a = run_all(first, count_questions(50));
  const Answers b = run_all(second, count_questions(50));
  int num_b = 0;
  for (std::uint64_t i = 0; i < 50; ++i) {
    EXPECT_EQ(a.by_ticket.at(i).choice, b.by_ticket.at(i).choice);
    num_b += *a.by_ticket.at(i).choice;
  }
  EXPECT_GT(num_b, 10);
  EXPECT_LT(num_b, 40);
}

TEST(BlindAnswerer, FailsWithoutTheCaptionsItsRuleNeeds) {
  BlindAnswerer blind = answerer("longest-caption");
  EXPECT_EQ(blind.input_need(), InputNeed::kCaptions);
  Question bare = make_question(0);
  bare.scenes[1].caption.clear();
  const Answers answers = run_all(blind, questions_from({bare, make_question(1)}));
  EXPECT_EQ(answers.by_ticket.at(0).status, OutcomeStatus::kFailed);
  EXPECT_NE(answers.by_ticket.at(0).error.message.find("item0"), std::string::npos);
  EXPECT_EQ(answers.by_ticket.at(1).status, OutcomeStatus::kAnswered);
}

TEST(BlindAnswerer, Stops) {
  BlindAnswerer blind = answerer("chance");
  std::stop_source stop;
  int asked = 0;
  blind.run(
      [&]() -> std::optional<Question> {
        if (++asked == 5) stop.request_stop();
        return make_question(static_cast<std::uint64_t>(asked));
      },
      [](const Answer&) {}, stop.get_token());
  EXPECT_EQ(asked, 5);
}

}  // namespace
}  // namespace contra4::clients
