#include "contra4/scoring/breakdown.h"

#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "tests/scoring/scoring_fixtures.h"

namespace contra4::scoring {
namespace {

class BreakdownTest : public ::testing::Test {
 protected:
  BreakdownTest()
      : items_({make_item("1", {{Modality::kVideo, "a"}, {Modality::kAudio, "b"}}, 1),
                make_item("2", {{Modality::kAudio, "c"}, {Modality::kVideo, "d"}}, 0),
                make_item("3", {{Modality::kImage, "e"}, {Modality::kImage, "f"}}, 0)}),
        media_(items_) {
    items_[0].category = "Motion";
    trials_ = {
        {0, {0, 1}, 1, 1}, {0, {1, 0}, 1, 0}, {1, {0, 1}, std::nullopt, 0}, {2, {0, 1}, 1, 0}};
  }
  std::vector<Item> items_;
  std::vector<Trial> trials_;
  SharedMedia media_;
};

using Rows = std::vector<std::pair<std::string, std::pair<double, std::int64_t>>>;

Rows rows(const std::vector<NamedAccuracy>& groups) {
  Rows result;
  for (const NamedAccuracy& group : groups) {
    result.push_back({group.name, {group.accuracy.correct, group.accuracy.total}});
  }
  return result;
}

TEST_F(BreakdownTest, GroupsByWhatItemsAre) {
  EXPECT_EQ(rows(breakdown(Grouping::kModalitySet, items_, trials_, media_)),
            (Rows{{"audio+video", {1, 3}}, {"image", {0, 1}}}));
  EXPECT_EQ(rows(breakdown(Grouping::kCorrectModality, items_, trials_, media_)),
            (Rows{{"audio", {1, 3}}, {"image", {0, 1}}}));
  EXPECT_EQ(rows(breakdown(Grouping::kCategory, items_, trials_, media_)),
            (Rows{{"(none)", {0, 2}}, {"Motion", {1, 2}}}));
}

TEST_F(BreakdownTest, GroupsByThePlaceAtWhichTheGoldWasShown) {
  EXPECT_EQ(rows(breakdown(Grouping::kAnswerPosition, items_, trials_, media_)),
            (Rows{{"A", {0, 3}}, {"B", {1, 1}}}));
}

TEST_F(BreakdownTest, ConfusionFollowsTheOrderShown) {
  const Confusion result = confusion(items_, trials_);
  const auto at = [](Modality modality) { return static_cast<std::size_t>(modality); };
  const Confusion::Row& audio = result.rows[at(Modality::kAudio)];
  EXPECT_EQ(audio.total, 3);
  EXPECT_EQ(audio.unanswered, 1);
  EXPECT_EQ(audio.chosen[at(Modality::kAudio)], 1);
  EXPECT_EQ(audio.chosen[at(Modality::kVideo)], 1);  // place B of the swapped order
  EXPECT_EQ(audio.offered[at(Modality::kVideo)], 3);
  EXPECT_EQ(audio.offered[at(Modality::kImage)], 0);
  EXPECT_EQ(result.rows[at(Modality::kImage)].chosen[at(Modality::kImage)], 1);
  EXPECT_EQ(result.wrong_scene_of_right_modality, 1);
}

TEST_F(BreakdownTest, RefusesWhatCannotBe) {
  EXPECT_THROW(confusion(items_, std::vector<Trial>{{9, {0, 1}, 0, 0}}), Exception);
  EXPECT_THROW(confusion(items_, std::vector<Trial>{{0, {0, 1}, 5, 0}}), Exception);
  items_[0].answer.reset();
  EXPECT_THROW(breakdown(Grouping::kCategory, items_, trials_, media_), Exception);
}

TEST(BreakdownGolden, CorrectModalitiesHaveTheirKnownCounts) {
  CONTRA4_REQUIRE_SHARED();
  const auto& items = released_test().items;
  std::vector<Trial> trials;
  for (std::size_t i = 0; i < items.size(); ++i) {
    Trial trial{i, {}, std::nullopt, 0};
    for (int k = 0; k < items[i].num_scenes(); ++k) trial.order.push_back(k);
    trials.push_back(std::move(trial));
  }
  const auto groups = breakdown(Grouping::kCorrectModality, items, trials, SharedMedia(items));
  EXPECT_EQ(
      rows(groups),
      (Rows{{"audio", {0, 1083}}, {"image", {0, 710}}, {"pc", {0, 316}}, {"video", {0, 226}}}));
}

}  // namespace
}  // namespace contra4::scoring
