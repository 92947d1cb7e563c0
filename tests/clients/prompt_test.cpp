#include "contra4/clients/prompts/prompt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/clients/protocol_support.h"

namespace contra4::clients {
namespace {

Question question_of(std::vector<std::string> captions, std::string text = "Which is loud?") {
  Question question;
  question.text = std::move(text);
  for (std::string& caption : captions) {
    ShownScene scene;
    scene.modality = Modality::kAudio;
    scene.caption = std::move(caption);
    question.scenes.push_back(std::move(scene));
  }
  return question;
}

PromptTemplate small_template(std::string user = "{scenes} | {question} | {letters} {num_scenes}") {
  PromptTemplate text;
  text.name = "small";
  text.user = std::move(user);
  return text;
}

std::string text_of(const std::vector<Message>& messages) {
  EXPECT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].parts.size(), 1U);
  return messages[0].parts[0].text;
}

std::string error_of(PromptTemplate text) {
  try {
    const Prompt prompt(std::move(text));
  } catch (const Exception& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return error.what();
  }
  return "accepted";
}

TEST(Prompt, ListsScenesByLetter) {
  EXPECT_EQ(text_of(Prompt(small_template()).render(question_of({"a bell", "rain", "a dog"}))),
            "Scene A: a bell\nScene B: rain\nScene C: a dog | Which is loud? | A, B or C 3");
}

TEST(Prompt, NeverLooksForPlaceholdersInWhatIsPutIn) {
  const Prompt prompt(small_template("{question}\n{scenes}"));
  EXPECT_EQ(text_of(prompt.render(
                question_of({"{question}\n{scenes}", "%s {{letters}} {x"}, "Is {letters} it?"))),
            "Is {letters} it?\nScene A: {question}\n{scenes}\nScene B: %s {{letters}} {x");
}

TEST(Prompt, ShowsLettersAloneWhereThereIsNoInput) {
  EXPECT_EQ(text_of(Prompt(small_template("{question} {scenes}")).render(question_of({"", ""}))),
            "Which is loud? Scene A\nScene B");
}

TEST(Prompt, PutsMediaInTheirPlaces) {
  Question question = question_of({"", ""});
  question.scenes[0].media = "a.wav";
  question.scenes[1].media = "b.png";
  question.scenes[1].modality = Modality::kImage;
  const auto messages = Prompt(small_template("{scenes}\n\n{question}")).render(question);
  const auto& parts = messages[0].parts;
  ASSERT_EQ(parts.size(), 5U);
  EXPECT_EQ(parts[0].text, "Scene A: ");
  EXPECT_EQ(parts[1].media, "a.wav");
  EXPECT_EQ(parts[1].modality, Modality::kAudio);
  EXPECT_EQ(parts[2].text, "\nScene B: ");
  EXPECT_EQ(parts[3].media, "b.png");
  EXPECT_EQ(parts[4].text, "\n\nWhich is loud?");
}

TEST(Prompt, HasASystemMessageOnlyWhenThereIsText) {
  PromptTemplate text = small_template();
  text.system = "Answer {letters}.";
  const auto messages = Prompt(text).render(question_of({"x", "y"}));
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].role, Role::kSystem);
  EXPECT_EQ(messages[0].parts[0].text, "Answer A or B.");
}

TEST(Prompt, LeavesOtherBracesAlone) {
  EXPECT_EQ(text_of(Prompt(small_template("{scenes}{question} {\"answer\": {\"a\": 1}} {} { { x }"))
                        .render(question_of({"x", "y"}))),
            "Scene A: x\nScene B: yWhich is loud? {\"answer\": {\"a\": 1}} {} { { x }");
}

TEST(Prompt, TakesDoubledBracesForTheTextItself) {
  EXPECT_EQ(text_of(Prompt(small_template("{scenes}{question} {{letters}} {{nothing}}"))
                        .render(question_of({"x", "y"}))),
            "Scene A: x\nScene B: yWhich is loud? {letters} {nothing}");
}

TEST(Prompt, NamesAnUnknownPlaceholder) {
  const std::string message = error_of(small_template("{scenes} {question} {captions}"));
  EXPECT_THAT(message, ::testing::HasSubstr("{captions}"));
  EXPECT_THAT(message, ::testing::HasSubstr("{question} {scenes} {letters} {num_scenes}"));
  PromptTemplate text = small_template();
  text.scene = "{letter} {content} {id}";
  EXPECT_THAT(error_of(text), ::testing::HasSubstr("{id}"));
}

TEST(Prompt, NeedsQuestionScenesAndContent) {
  EXPECT_THAT(error_of(small_template("{scenes}")), ::testing::HasSubstr("{question}"));
  EXPECT_THAT(error_of(small_template("{question}")), ::testing::HasSubstr("{scenes}"));
  EXPECT_THAT(error_of(small_template("")), ::testing::HasSubstr("holds no"));
  PromptTemplate text = small_template();
  text.scene = "Scene {letter}";
  EXPECT_THAT(error_of(text), ::testing::HasSubstr("{content}"));
}

TEST(Prompt, DescribesItsTexts) {
  const auto root = testing::json(Prompt(small_template()).description_json());
  EXPECT_EQ(*root.find("name")->find_string(), "small");
  EXPECT_EQ(*root.find("separator")->find_string(), "\n");
}

}  // namespace
}  // namespace contra4::clients
