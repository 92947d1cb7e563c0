#include "contra4/clients/caption_answer.h"

#include <gtest/gtest.h>

namespace contra4::clients {
namespace {

Question whole_question() {
  Question question;
  question.item_id = "a";
  question.text = "Which scene is loud?";
  question.scenes.resize(2);
  for (ShownScene& scene : question.scenes) scene.caption = "a drum";
  return question;
}

TEST(CaptionAnswer, NamesTheItemThatLacksItsTexts) {
  EXPECT_FALSE(find_missing_text(whole_question(), "embed"));
  Question mute = whole_question();
  mute.text.clear();
  Question bare = whole_question();
  bare.scenes[1].caption.clear();
  Question empty = whole_question();
  empty.scenes.clear();
  for (const Question& question : {mute, bare, empty}) {
    const auto error = find_missing_text(question, "embed");
    ASSERT_TRUE(error);
    EXPECT_EQ(error->message, "[embed] item 'a' lacks a question or a caption");
  }
}

TEST(CaptionAnswer, AChosenSceneIsAnAnswer) {
  Answer answer;
  choose_scene(answer, 2);
  EXPECT_EQ(answer.status, OutcomeStatus::kAnswered);
  EXPECT_EQ(answer.choice, 2);
  EXPECT_EQ(answer.text, "Scene C");
}

}  // namespace
}  // namespace contra4::clients
