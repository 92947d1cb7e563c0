#include "contra4/train/training_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/models/onellm/prompt.h"
#include "tests/train/training_items.h"

namespace contra4::train {
namespace {

using ::testing::ElementsAre;

text::SentencePiece tokenizer() {
  return text::SentencePiece(std::string(CONTRA4_TINY_ONELLM) + "/tokenizer.model");
}

TEST(TrainingSet, GroupsItemsByTheirModalitiesInOrder) {
  const std::vector<TrainingItem> items = picture_items(5);
  const TrainingSet set = make_training_set(tokenizer(), items, {});
  EXPECT_THAT(set.groups, ElementsAre(0, 1, 0, 1, 0));
  ASSERT_EQ(set.items.size(), 5U);
  EXPECT_EQ(set.items[3].id, "item_3");
  EXPECT_EQ(set.items[3].answer, 1);
  EXPECT_THAT(set.items[3].modalities, ElementsAre(Modality::kImage, Modality::kVideo));
  EXPECT_EQ(set.items[3].media.size(), 2U);
  EXPECT_GT(set.items[3].text.num_labels(), 0);
}

TEST(TrainingSet, NamesItemsWithoutAnAnswer) {
  std::vector<TrainingItem> items = picture_items(3);
  items[1].item.answer.reset();
  const TrainingSet set = make_training_set(tokenizer(), items, {});
  ASSERT_EQ(set.left_out.size(), 1U);
  EXPECT_EQ(set.left_out[0].id, "item_1");
  EXPECT_EQ(set.left_out[0].error.code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(set.groups.size(), set.items.size());
}

TEST(TrainingSet, AsksForValidationAsTheEvaluationDoes) {
  const std::vector<TrainingItem> items = picture_items(1);
  const text::SentencePiece pieces = tokenizer();
  const TrainingSet set = make_validation_set(pieces, items, "");
  ASSERT_EQ(set.items.size(), 1U);
  EXPECT_EQ(set.items[0].text.ids,
            models::onellm::make_prompt(pieces, items[0].item.question, 2, {}).ids);
  EXPECT_EQ(set.items[0].text.num_labels(), 0);
}

}  // namespace
}  // namespace contra4::train
