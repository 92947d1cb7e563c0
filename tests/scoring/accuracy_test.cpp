#include "contra4/scoring/accuracy.h"

#include <cmath>

#include <gtest/gtest.h>

#include "contra4/io/json.h"
#include "tests/scoring/scoring_fixtures.h"

namespace contra4::scoring {
namespace {

constexpr Modality kAny = Modality::kImage;

std::vector<Item> four_items() {
  return {make_item("1", {{kAny, "a"}, {kAny, "b"}}, 0),
          make_item("2", {{kAny, "a"}, {kAny, "c"}}, 0, "similarity"),
          make_item("3", {{kAny, "d"}, {kAny, "e"}, {kAny, "f"}}, 0),
          make_item("4", {{kAny, "g"}, {kAny, "h"}, {kAny, "i"}, {kAny, "j"}}, 0, "hard")};
}

TEST(Accuracy, IsTheShareOfHitsWithBothErrors) {
  const std::vector<Item> items = four_items();
  const SharedMedia media(items);
  const Accuracy result =
      compute_accuracy(std::vector<Observation>{{0, 1}, {1, 1}, {2, 0}, {3, 0}}, media);
  EXPECT_EQ(result.correct, 2);
  EXPECT_EQ(result.total, 4);
  EXPECT_DOUBLE_EQ(result.accuracy, .5);
  EXPECT_DOUBLE_EQ(result.stderr_plain, std::sqrt(4 * .25) / 4);
  // Items 1 and 2 share a medium and have the same residual: two more products of .25.
  EXPECT_DOUBLE_EQ(result.stderr_shared_media, std::sqrt(6 * .25) / 4);
  EXPECT_EQ(result.ci95_low, 0) << "cut";
  EXPECT_EQ(result.ci95_high, 1);
}

TEST(Accuracy, FallsBackToThePlainErrorForANegativeSum) {
  std::vector<Item> items = {make_item("1", {{kAny, "a"}, {kAny, "b"}}, 0),
                             make_item("2", {{kAny, "a"}, {kAny, "c"}}, 0),
                             make_item("3", {{kAny, "b"}, {kAny, "d"}}, 0)};
  const SharedMedia media(items);
  // Residuals -2/3, 1/3, 1/3: squares 6/9, products twice (-2/9 - 2/9).
  const Accuracy result = compute_accuracy(std::vector<Observation>{{0, 0}, {1, 1}, {2, 1}}, media);
  EXPECT_DOUBLE_EQ(result.stderr_shared_media, result.stderr_plain);
}

TEST(Accuracy, DoesNotTakeOrdersOfOneItemForIndependent) {
  const std::vector<Item> items = four_items();
  const SharedMedia media(items);
  const std::vector<Observation> once = {{0, 1}, {2, 0}};
  const std::vector<Observation> twice = {{0, 1}, {0, 1}, {2, 0}, {2, 0}};
  EXPECT_DOUBLE_EQ(compute_accuracy(once, media).stderr_plain,
                   compute_accuracy(twice, media).stderr_plain);
}

TEST(Accuracy, HasWilsonsIntervalWhereAllIsRightOrWrong) {
  const std::vector<Item> items = four_items();
  const SharedMedia media(items);
  const double wilson = kNormal95 * kNormal95 / (2 + kNormal95 * kNormal95);
  const Accuracy right = compute_accuracy(std::vector<Observation>{{0, 1}, {2, 1}}, media);
  EXPECT_DOUBLE_EQ(right.ci95_low, 1 - wilson);
  EXPECT_DOUBLE_EQ(right.ci95_high, 1);
  const Accuracy wrong = compute_accuracy(std::vector<Observation>{{0, 0}, {2, 0}}, media);
  EXPECT_DOUBLE_EQ(wrong.ci95_low, 0);
  EXPECT_DOUBLE_EQ(wrong.ci95_high, wilson);
}

TEST(Accuracy, OfNothingIsZeroWithTheWholeInterval) {
  const Accuracy result = compute_accuracy({}, SharedMedia({}));
  EXPECT_EQ(result.total, 0);
  EXPECT_EQ(result.accuracy, 0);
  EXPECT_EQ(result.ci95_low, 0);
  EXPECT_EQ(result.ci95_high, 1);
}

TEST(Cells, FollowTypeAndSelection) {
  std::vector<Item> items = four_items();
  EXPECT_TRUE(is_in_cell(items[0], "all"));
  EXPECT_TRUE(is_in_cell(items[0], "random"));
  EXPECT_TRUE(is_in_cell(items[0], "mc_2/random"));
  EXPECT_FALSE(is_in_cell(items[0], "mc_2/similarity"));
  EXPECT_FALSE(is_in_cell(items[0], "mc_3"));
  EXPECT_TRUE(is_in_cell(items[3], "similarity"));  // every selection but random
  EXPECT_TRUE(is_in_cell(items[3], "mc_4/similarity"));
  EXPECT_FALSE(is_in_cell(items[0], "mc_2/hard"));
  EXPECT_FALSE(is_in_cell(items[0], "mc_9"));
  EXPECT_FALSE(is_in_cell(items[0], ""));
  items[2].q_type = "";  // then the number of scenes
  EXPECT_TRUE(is_in_cell(items[2], "mc_3/random"));
}

TEST(Cells, StandInTheOrderOfTheTables) {
  const std::vector<Item> items = four_items();
  const auto cells = cell_accuracies(
      items, std::vector<Observation>{{0, 1}, {1, 0}, {2, 1}, {3, 0}}, SharedMedia(items));
  ASSERT_EQ(cells.size(), kCells.size());
  for (std::size_t i = 0; i < cells.size(); ++i) EXPECT_EQ(cells[i].name, kCells[i]);
  EXPECT_EQ(cells[0].accuracy.total, 4);
  EXPECT_EQ(cells[1].accuracy.correct, 2);               // random
  EXPECT_EQ(cells[2].accuracy.correct, 0);               // similarity
  EXPECT_EQ(cells.back().accuracy.total, 1);             // mc_4/similarity
  EXPECT_EQ(cells[cells.size() - 2].accuracy.total, 0);  // mc_4/random
}

TEST(AccuracyGolden, MiniLmChoicesGive1566WithBothErrors) {
  CONTRA4_REQUIRE_SHARED();
  const auto& items = released_test().items;
  const auto golden =
      io::parse_json(testing::read_gz(testing::shared_dir() /
                                      "goldens/minilm/question_similarity_test.json.gz"),
                     "golden")
          .value();
  ASSERT_EQ(golden.find_array()->size(), items.size());
  std::vector<Observation> observations;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const io::JsonValue& row = (*golden.find_array())[i];
    ASSERT_EQ(*row.find("id")->find_string(), items[i].id.text);
    const std::string& letter = *row.find("prediction")->find_string();
    observations.push_back({i, letter[0] == scene_letter(*items[i].answer) ? 1.0 : 0.0});
  }
  const Accuracy result = compute_accuracy(observations, SharedMedia(items));
  EXPECT_EQ(result.correct, 1566);
  EXPECT_EQ(result.total, 2335);
  EXPECT_NEAR(result.stderr_plain, .0097, .00005);
  EXPECT_NEAR(result.stderr_shared_media, .0104, .00005);
  EXPECT_NEAR(result.ci95_low, result.accuracy - 1.96 * result.stderr_shared_media, 1e-6);
  EXPECT_NEAR(result.ci95_high, result.accuracy + 1.96 * result.stderr_shared_media, 1e-6);
}

TEST(CellsGolden, HaveTheirPublishedSizes) {
  CONTRA4_REQUIRE_SHARED();
  const auto& items = released_test().items;
  std::vector<Observation> all;
  for (std::size_t i = 0; i < items.size(); ++i) all.push_back({i, 1});
  const auto cells = cell_accuracies(items, all, SharedMedia(items));
  const std::vector<std::int64_t> sizes = {2335, 1188, 1147, 811, 801, 723,
                                           415,  396,  416,  385, 357, 366};
  for (std::size_t i = 0; i < cells.size(); ++i) EXPECT_EQ(cells[i].accuracy.total, sizes[i]);
}

}  // namespace
}  // namespace contra4::scoring
