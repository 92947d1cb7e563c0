#include "contra4/scoring/permutation_scores.h"

#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "tests/scoring/scoring_fixtures.h"

namespace contra4::scoring {
namespace {

const std::vector<Item> kItems = {
    make_item("1", {{Modality::kVideo, "a"}, {Modality::kAudio, "b"}}, 1),
    make_item("2", {{Modality::kAudio, "c"}, {Modality::kVideo, "d"}}, 0)};

TEST(PermutationScores, TellsAConstantLetterFromAConstantScene) {
  const SharedMedia media(kItems);
  // Item 1: always the right scene. Item 2: always the letter B.
  const std::vector<Trial> trials = {
      {0, {0, 1}, 1, 1}, {0, {1, 0}, 0, 1}, {1, {0, 1}, 1, 0}, {1, {1, 0}, 1, 1}};
  const PermutationScores scores = permutation_scores(kItems, trials, media);
  EXPECT_DOUBLE_EQ(scores.plain.accuracy, .75);
  EXPECT_EQ(scores.plain.total, 4);
  EXPECT_DOUBLE_EQ(scores.all_orders.accuracy, .5);
  EXPECT_EQ(scores.all_orders.total, 2);
  EXPECT_DOUBLE_EQ(scores.consistency.accuracy, .5);
  ASSERT_EQ(scores.position_bias.size(), 1U);
  EXPECT_EQ(scores.position_bias[0].num_scenes, 2);
  EXPECT_EQ(scores.position_bias[0].answered, 4);
  EXPECT_EQ(scores.position_bias[0].chosen_share, (std::vector<double>{.25, .75}));
  EXPECT_EQ(scores.position_bias[0].gold_share, (std::vector<double>{.5, .5}));
  EXPECT_EQ(scores.position_bias[0].bias, (std::vector<double>{-.25, .25}));
  EXPECT_DOUBLE_EQ(scores.total_position_bias, .25);
}

TEST(PermutationScores, TakesAnUnansweredOrderForInconsistent) {
  const SharedMedia media(kItems);
  const std::vector<Trial> trials = {{0, {0, 1}, 0, 0},
                                     {0, {1, 0}, std::nullopt, 0},
                                     {1, {0, 1}, std::nullopt, 0},
                                     {1, {1, 0}, std::nullopt, 0}};
  const PermutationScores scores = permutation_scores(kItems, trials, media);
  EXPECT_EQ(scores.consistency.correct, 0);
  EXPECT_EQ(scores.position_bias[0].answered, 1);
}

TEST(PermutationScores, OfAConsistentlyWrongModelIsConsistent) {
  const SharedMedia media(kItems);
  const std::vector<Trial> trials = {{0, {0, 1}, 0, 0}, {0, {1, 0}, 1, 0}};
  const PermutationScores scores = permutation_scores(kItems, trials, media);
  EXPECT_EQ(scores.consistency.correct, 1);
  EXPECT_EQ(scores.all_orders.correct, 0);
  EXPECT_DOUBLE_EQ(scores.total_position_bias, 0);
}

TEST(PermutationScores, OfNothingAreEmpty) {
  const PermutationScores scores = permutation_scores(kItems, {}, SharedMedia(kItems));
  EXPECT_EQ(scores.plain.total, 0);
  EXPECT_TRUE(scores.position_bias.empty());
  EXPECT_EQ(scores.total_position_bias, 0);
}

}  // namespace
}  // namespace contra4::scoring
