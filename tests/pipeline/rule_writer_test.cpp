#include "contra4/pipeline/rule_writer.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/pipeline/question_rules.h"

namespace contra4::pipeline {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using Captions = std::vector<std::string_view>;

TEST(RuleWriter, AsksAboutWhatOneCaptionAloneTells) {
  const Captions captions = {"A man is holding a red umbrella", "A man is holding a wooden spoon"};
  std::set<int> answers;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto written = write_by_rules(captions, seed);
    ASSERT_TRUE(written);
    answers.insert(written->answer);
    const char* thing = written->answer == 0 ? "a red umbrella" : "a wooden spoon";
    EXPECT_THAT(written->question, HasSubstr(thing));
    EXPECT_THAT(written->answer_text, StartsWith(written->answer == 0 ? "Scene A. " : "Scene B. "));
  }
  EXPECT_EQ(answers.size(), 2U);  // either scene may be the right one
}

TEST(RuleWriter, SameSeedSameQuestion) {
  const Captions captions = {"Rain falls on a tin roof", "a child is riding a tricycle",
                             "A cartoon dinosaur with green skin"};
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const auto first = write_by_rules(captions, seed);
    const auto again = write_by_rules(captions, seed);
    ASSERT_TRUE(first && again);
    EXPECT_EQ(first->question, again->question);
    EXPECT_EQ(first->answer_text, again->answer_text);
  }
}

TEST(RuleWriter, ItsQuestionsAndAnswersPassTheRulesForModels) {
  const Captions captions = {"A 3D model of a red sports car with black wheels",
                             "A picture of a bowl of soup next to a loaf of bread",
                             "Two dogs bark while a man is talking loudly",
                             "a woman is playing a violin on a stage"};
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const auto written = write_by_rules(captions, seed);
    ASSERT_TRUE(written);
    EXPECT_EQ(judge_question(written->question, {}).fault, "") << written->question;
    const auto judged = judge_answer(written->answer_text, 4);
    EXPECT_EQ(judged.text, written->answer_text);
    EXPECT_EQ(judged.answer, written->answer);
  }
}

TEST(RuleWriter, FindsNothingWhereNothingTellsScenesApart) {
  const Captions same = {"A dog barks at a red car", "A dog barks at a red car"};
  EXPECT_FALSE(write_by_rules(same, 1));
  EXPECT_FALSE(write_by_rules(Captions{"", ""}, 1));
  EXPECT_FALSE(write_by_rules(Captions{}, 1));
  EXPECT_FALSE(write_by_rules(Captions{"...", "?!,"}, 1));
}

TEST(RuleWriter, TakesPluralsForTheSameThing) {
  // Both have horses: what is left to ask about is the barn.
  const Captions captions = {"Horses stand near a barn", "A horse"};
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const auto written = write_by_rules(captions, seed);
    ASSERT_TRUE(written);
    EXPECT_EQ(written->answer, 0) << written->question;
    EXPECT_EQ(written->question.find("horse"), std::string::npos);
  }
}

TEST(RuleWriter, TakesAnyBytes) {
  const std::string long_caption = std::string(5'000, 'a') + " a \xff\xfe kite";
  EXPECT_NO_THROW(write_by_rules(Captions{long_caption, "a \xE2\x82"}, 3));
}

}  // namespace
}  // namespace contra4::pipeline
