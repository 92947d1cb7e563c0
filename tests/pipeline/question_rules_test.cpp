#include "contra4/pipeline/question_rules.h"

#include <string>

#include <gtest/gtest.h>

namespace contra4::pipeline {
namespace {

std::string fault_of(std::string_view reply) {
  return std::string(judge_question(reply, {}).fault);
}

TEST(JudgeQuestion, TakesTheFirstLineWithWordsInIt) {
  const auto judged = judge_question("\n  Which scene has a dog? \nGenerated Question: x?", {});
  EXPECT_TRUE(judged.is_good());
  EXPECT_EQ(judged.text, "Which scene has a dog?");
  EXPECT_EQ(judge_question("\"Which scene has a dog?\"", {}).text, "Which scene has a dog?");
  EXPECT_EQ(judge_question("**which scene is calmer?**\r\n", {}).text, "Which scene is calmer?");
}

TEST(JudgeQuestion, NamesWhatIsWrong) {
  EXPECT_EQ(fault_of(""), "empty");
  EXPECT_EQ(fault_of(" \n\t\n"), "empty");
  EXPECT_EQ(fault_of("Sure! Which scene has a dog?"), "beginning");
  EXPECT_EQ(fault_of("Which scenery has a dog?"), "beginning");
  EXPECT_EQ(fault_of("Which scene has a dog"), "no question mark");
  EXPECT_EQ(fault_of("Which scene has a dog? Which one a cat?"), "several questions");
  EXPECT_EQ(fault_of("Which scene has a dog? The first."), "words after the question");
  EXPECT_EQ(fault_of("Which scene is louder than Scene B?"), "names a scene");
  EXPECT_EQ(fault_of("Which scene, of scenes A and C, is louder?"), "names a scene");
}

TEST(JudgeQuestion, TellsModalitiesFromWordsThatHoldThem) {
  for (const char* word : {"image", "Video", "3D", "AUDIO", "point cloud", "photographs"}) {
    EXPECT_EQ(fault_of("Which scene is a better " + std::string(word) + "?"), "modality") << word;
  }
  EXPECT_EQ(fault_of("Which scene needs imagination, audiophiles and photography?"), "");
  EXPECT_EQ(fault_of("Which scene a dog would run to?"), "");  // an article, no letter
  EXPECT_EQ(fault_of("Which scene sounds louder?"), "");
}

TEST(JudgeQuestion, BoundsWordsAndCharacters) {
  EXPECT_TRUE(judge_question("Which scene is it?", {.max_words = 4}).is_good());
  EXPECT_EQ(judge_question("Which scene is it?", {.max_words = 3}).fault, "too long");
  // Characters, not bytes.
  const std::string umlauts = "Which scene \xC3\xA4\xC3\xA4\xC3\xA4?";
  EXPECT_TRUE(judge_question(umlauts, {.max_characters = 16}).is_good());
  EXPECT_EQ(judge_question(umlauts, {.max_characters = 15}).fault, "too long");
}

TEST(JudgeQuestion, TakesAnyBytes) {
  EXPECT_EQ(fault_of("Which scene \xff\xfe?"), "");
  EXPECT_EQ(fault_of(std::string(100'000, '*')), "beginning");
}

TEST(JudgeAnswer, KeepsAPlainAnswer) {
  const auto judged = judge_answer(" Scene B. It rains there.\n\nScene A", 3);
  EXPECT_TRUE(judged.is_good());
  EXPECT_EQ(judged.text, "Scene B. It rains there.");
  EXPECT_EQ(judged.answer, 1);
}

TEST(JudgeAnswer, PutsTheNameInFrontOfOtherWays) {
  EXPECT_EQ(judge_answer("B", 2).text, "Scene B");
  EXPECT_EQ(judge_answer("B.", 2).text, "Scene B");
  EXPECT_EQ(judge_answer("The answer is B, as it rains.", 2).text,
            "Scene B. The answer is B, as it rains.");
  EXPECT_EQ(judge_answer("**Scene A. Snow.**", 2).text, "Scene A. Snow.");
}

TEST(JudgeAnswer, RefusesWhatNamesNoneOrSeveral) {
  EXPECT_EQ(judge_answer("", 2).fault, "empty");
  EXPECT_EQ(judge_answer("I cannot tell.", 2).fault, "no scene");
  EXPECT_EQ(judge_answer("Scene D. It rains.", 3).fault, "no scene");
  EXPECT_EQ(judge_answer("A dog barks, that is all.", 2).fault, "no scene");
  EXPECT_EQ(judge_answer("Both Scene A and Scene B.", 2).fault, "several scenes");
}

}  // namespace
}  // namespace contra4::pipeline
