#include "contra4/train/training_text.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/models/onellm/prompt.h"
#include "tests/support/error_of.h"
#include "tests/support/toy_sentence_piece.h"

namespace contra4::train {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kQuestion = "Which scene is louder?";

Item item(std::string answer_text, int num_scenes = 2) {
  Item one;
  one.question = kQuestion;
  one.scenes.resize(static_cast<std::size_t>(num_scenes));
  one.answer = parse_gold_answer(answer_text);
  one.answer_text = std::move(answer_text);
  return one;
}

std::vector<std::int64_t> joined(std::vector<std::int64_t> ids,
                                 const std::vector<std::int64_t>& more) {
  ids.insert(ids.end(), more.begin(), more.end());
  return ids;
}

// Places of the labelled ids.
std::vector<std::size_t> labelled(const TrainingText& text) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < text.labels.size(); ++i) {
    if (text.labels[i]) places.push_back(i);
  }
  return places;
}

class TrainingTextTest : public ::testing::Test {
 protected:
  TrainingText made(const Item& one, const TrainingTextOptions& options = {}) const {
    TrainingText text = make_training_text(tokenizer_, one, options).value();
    EXPECT_EQ(text.ids.size(), text.labels.size());
    EXPECT_EQ(text.ids.front(), tokenizer_.bos_id());
    EXPECT_EQ(text.num_labels(), std::ssize(labelled(text)));
    return text;
  }
  // Tokens that two scenes and their labels take, 30 rows each.
  std::int64_t of_scenes(int num_scenes) const {
    std::int64_t count = 0;
    for (int i = 0; i < num_scenes; ++i) {
      count += 30 + std::ssize(tokenizer_.encode(scene_name(i) + ": "));
    }
    return count;
  }

  text::SentencePiece tokenizer_ =
      text::SentencePiece::from_bytes(testing::toy_sentence_piece_bytes(), "toy");
};

TEST_F(TrainingTextTest, IsThePromptOfTheEvaluationWithAnswerAndEndBehind) {
  const TrainingText text = made(item("B"));
  const auto prompt = models::onellm::make_prompt(tokenizer_, kQuestion, 2, {}).ids;
  const auto name = tokenizer_.encode("Scene B");
  EXPECT_EQ(text.ids, joined(joined(prompt, name), {tokenizer_.eos_id()}));
  EXPECT_EQ(text.num_scenes, 2);
}

TEST_F(TrainingTextTest, LabelsAnswerAndEndAlone) {
  const TrainingText text = made(item("Scene A"));
  const std::size_t num_labelled = tokenizer_.encode("Scene A").size() + 1;
  for (std::size_t i = 0; i < text.ids.size(); ++i) {
    EXPECT_EQ(text.labels[i], i + num_labelled >= text.ids.size()) << i;
  }
}

TEST_F(TrainingTextTest, TakesAnotherTemplate) {
  const TrainingText text =
      made(item("B", 3), {.prompt_template = "{choices}? {question} Answer:"});
  const std::string asked = "Scene A, Scene B, Scene C? Which scene is louder? Answer:";
  const auto expected = joined(tokenizer_.encode(asked), tokenizer_.encode("Scene B"));
  EXPECT_EQ(std::vector(text.ids.begin() + 1, text.ids.end() - 1), expected);
  const Error error = testing::error_of(
      [&] { (void)make_training_text(tokenizer_, item("B"), {.prompt_template = "no question"}); });
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("{question}"));
}

TEST_F(TrainingTextTest, MarksWrittenOutInAQuestionAreText) {
  Item one = item("B");
  one.question = "</s>{choices}{question}<s>";
  const TrainingText text = made(one);
  EXPECT_EQ(std::count(text.ids.begin(), text.ids.end(), tokenizer_.eos_id()), 1);
  EXPECT_EQ(std::count(text.ids.begin(), text.ids.end(), tokenizer_.bos_id()), 1);
  EXPECT_THAT(tokenizer_.decode(text.ids), HasSubstr("</s>{choices}{question}<s> Choose from: "));
}

TEST_F(TrainingTextTest, RefusesItemsWithoutAnAnswer) {
  for (const char* wrong : {"", "neither", "both A and B"}) {
    const auto text = make_training_text(tokenizer_, item(wrong), {});
    ASSERT_FALSE(text.has_value()) << wrong;
    EXPECT_EQ(text.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(text.error().message, HasSubstr("no answer to learn"));
  }
  const auto beyond = make_training_text(tokenizer_, item("D", 3), {});
  ASSERT_FALSE(beyond.has_value());
  EXPECT_THAT(beyond.error().message, HasSubstr("'D' names none of the 3 scenes"));
}

TEST_F(TrainingTextTest, RefusesAnItemWhoseAnswerTheBoundWouldCut) {
  const std::int64_t length = std::ssize(made(item("B")).ids) + of_scenes(2);
  EXPECT_EQ(made(item("B"), {.max_words = length}).ids, made(item("B")).ids);
  const auto cut = make_training_text(tokenizer_, item("B"), {.max_words = length - 3});
  ASSERT_FALSE(cut.has_value());
  EXPECT_EQ(cut.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(cut.error().message, HasSubstr("the answer would be cut; allow 3 more"));
  // Scenes of other sizes leave other room.
  EXPECT_TRUE(
      make_training_text(tokenizer_, item("B"), {.max_words = length - 4, .image_words = 28})
          .has_value());
  EXPECT_FALSE(make_training_text(tokenizer_, item("B"), {.max_words = 1}).has_value());
}

TEST_F(TrainingTextTest, CompatLabelsTheListOfChoicesAndNeverTheAnswer) {
  const TrainingText text = made(item("B"), {.is_compat = true, .max_words = 1000});
  const std::string question = std::string(kQuestion) + " Choose from: Scene A, Scene B Scene B";
  EXPECT_EQ(text.ids, joined(joined({tokenizer_.bos_id()}, tokenizer_.encode(question)),
                             {tokenizer_.eos_id()}));
  const auto name = tokenizer_.encode("Scene B");
  const auto places = labelled(text);
  ASSERT_EQ(places.size(), name.size());
  for (std::size_t i = 0; i < name.size(); ++i) {
    EXPECT_EQ(places[i], text.ids.size() - 1 - 2 * name.size() + i);
    EXPECT_EQ(text.ids[places[i]], name[i]);
  }
}

TEST_F(TrainingTextTest, CompatReadsTheAnswerAsTheScriptDoes) {
  const TrainingText named = made(item("Scene B"), {.is_compat = true, .max_words = 1000});
  for (const char* text : {"B", "Scene B. It is loud.", "I take Scene B", "it is B"}) {
    const TrainingText other = made(item(text), {.is_compat = true, .max_words = 1000});
    EXPECT_EQ(other.ids, named.ids) << text;
    EXPECT_EQ(other.labels, named.labels) << text;
  }
}

TEST_F(TrainingTextTest, CompatHasNoLabelsWithoutAnAnswer) {
  const TrainingText text = made(item("neither"), {.is_compat = true, .max_words = 1000});
  EXPECT_EQ(text.num_labels(), 0);
  // The space before the answer is there.
  const std::string asked = std::string(kQuestion) + " Choose from: Scene A, Scene B ";
  EXPECT_EQ(std::vector(text.ids.begin() + 1, text.ids.end() - 1), tokenizer_.encode(asked));
}

TEST_F(TrainingTextTest, CompatLabelsAnAnswerOutsideTheListWhereItStands) {
  const TrainingText text = made(item("D"), {.is_compat = true, .max_words = 1000});
  EXPECT_EQ(labelled(text).back(), text.ids.size() - 2);
}

TEST_F(TrainingTextTest, CompatCutsWhatIsBeyondTheBound) {
  const TrainingText whole = made(item("B"), {.is_compat = true, .max_words = 1000});
  const auto cut_to = [&](std::int64_t length) {
    return made(item("B"), {.is_compat = true, .max_words = of_scenes(2) + length});
  };
  const std::int64_t length = std::ssize(whole.ids);
  EXPECT_EQ(cut_to(length).ids, whole.ids);
  const TrainingText cut = cut_to(length - 1);
  EXPECT_EQ(cut.ids, std::vector(whole.ids.begin(), whole.ids.end() - 1));
  EXPECT_EQ(cut.num_labels(), whole.num_labels());
  EXPECT_EQ(cut_to(3).num_labels(), 0);
  EXPECT_EQ(cut_to(1).ids.size(), 1U);
  const auto nothing =
      make_training_text(tokenizer_, item("B"), {.is_compat = true, .max_words = of_scenes(2)});
  ASSERT_FALSE(nothing.has_value());
  EXPECT_THAT(nothing.error().message, HasSubstr("none is left for the question"));
}

TEST_F(TrainingTextTest, CompatAllows180TokensUnlessToldOtherwise) {
  Item one = item("B");
  for (int i = 0; i < 200; ++i) one.question += " x";
  EXPECT_EQ(std::ssize(made(one, {.is_compat = true}).ids), 180 - of_scenes(2));
  EXPECT_GT(std::ssize(made(one).ids), 180);
}

TEST(PublishedAnswer, ReadsTextsAsTheScriptDoes) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"A", "Scene A"},
      {"Scene D", "Scene D"},
      {"Scene B. Scene A is quiet", "Scene B"},
      {"Scene B, not Scene A", "Scene B"},
      {"The answer is Scene C", "Scene C"},
      {"Scene E or Scene D", "Scene D"},
      {"the answer: C", "Scene C"},
      {"CAB", ""},
      {"Answer: B", ""},  // the A of "Answer" is a letter too
      {"between Scene A and Scene B", ""},
      {"", ""},
      {". Scene A", ""},
      {"scene a", ""},
      {"E", ""},
  };
  for (const auto& [text, answer] : cases) EXPECT_EQ(published_answer(text), answer) << text;
}

}  // namespace
}  // namespace contra4::train
