#include "contra4/scoring/paired.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/scoring/scoring_fixtures.h"

namespace contra4::scoring {
namespace {

std::vector<Item> items_of(int count, bool shares_medium) {
  std::vector<Item> items;
  for (int i = 0; i < count; ++i) {
    const std::string id = std::to_string(i);
    items.push_back(make_item(id,
                              {{Modality::kAudio, shares_medium ? std::to_string(i / 2) : id},
                               {Modality::kVideo, "v" + id}},
                              0));
  }
  return items;
}

TEST(Paired, ComparesTheCommonItemsWithTheErrorOfTheirDifferences) {
  const SharedMedia media(items_of(5, false));
  const std::vector<Observation> a = {{0, 1}, {1, 1}, {2, 1}, {3, 0}};
  const std::vector<Observation> b = {{0, 0}, {1, 1}, {2, 0}, {3, 1}, {4, 1}};
  const PairedDifference result = compare_paired(a, b, media);
  EXPECT_EQ(result.num_items, 4);
  EXPECT_DOUBLE_EQ(result.accuracy_a, .75);
  EXPECT_DOUBLE_EQ(result.accuracy_b, .5);
  EXPECT_DOUBLE_EQ(result.difference, .25);
  EXPECT_EQ(result.only_a, 2);
  EXPECT_EQ(result.only_b, 1);
  // Differences 1, 0, 1, -1.
  EXPECT_NEAR(result.stderr_plain, std::sqrt(.5625 * 2 + .0625 + 1.5625) / 4, 1e-12);
  EXPECT_NEAR(result.stderr_shared_media, result.stderr_plain, 1e-12);
  EXPECT_NEAR(result.p_value, std::erfc(.25 / result.stderr_plain / std::sqrt(2)), 1e-12);
  EXPECT_NEAR(result.ci95_low, .25 - kNormal95 * result.stderr_plain, 1e-9);
  EXPECT_EQ(result.ci95_high, 1) << "cut";
}

TEST(Paired, WidensTheErrorWhereItemsShareMedia) {
  std::vector<Observation> a;
  std::vector<Observation> b;
  for (std::size_t i = 0; i < 40; ++i) {
    a.push_back({i, (i / 2) % 2 == 0 ? 1.0 : 0.0});  // both items of a medium alike
    b.push_back({i, 0});
  }
  const PairedDifference apart = compare_paired(a, b, SharedMedia(items_of(40, false)));
  const PairedDifference shared = compare_paired(a, b, SharedMedia(items_of(40, true)));
  EXPECT_NEAR(shared.stderr_shared_media, apart.stderr_shared_media * std::sqrt(2.0), 1e-9);
  EXPECT_GT(shared.p_value, apart.p_value);
}

TEST(Paired, TakesTheMeanOverOrders) {
  const SharedMedia media(items_of(2, false));
  const std::vector<Observation> a = {{0, 1}, {0, 0}, {1, 1}, {1, 1}};
  const std::vector<Observation> b = {{0, 0}, {1, 1}};
  const PairedDifference result = compare_paired(a, b, media);
  EXPECT_DOUBLE_EQ(result.accuracy_a, .75);
  EXPECT_DOUBLE_EQ(result.difference, .25);
}

TEST(Paired, OfARunWithItselfIsNoDifference) {
  const SharedMedia media(items_of(10, false));
  std::vector<Observation> a;
  for (std::size_t i = 0; i < 10; ++i) a.push_back({i, i < 4 ? 1.0 : 0.0});
  PairedDifference result = compare_paired(a, a, media);
  EXPECT_EQ(result.difference, 0);
  EXPECT_EQ(result.p_value, 1);
  EXPECT_LT(result.ci95_low, 0);
  EXPECT_GT(result.ci95_high, 0);
  correct_for_many(std::span(&result, 1));
  EXPECT_FALSE(result.is_significant);
}

TEST(Paired, GoesByTheSignTestWhereEveryItemDiffersAlike) {
  const auto all = [](std::size_t count, double hit) {
    std::vector<Observation> observations;
    for (std::size_t i = 0; i < count; ++i) observations.push_back({i, hit});
    return observations;
  };
  const SharedMedia media(items_of(10, false));
  const PairedDifference few = compare_paired(all(3, 1), all(3, 0), media);
  EXPECT_DOUBLE_EQ(few.p_value, .25);
  EXPECT_DOUBLE_EQ(few.ci95_high, 1);
  EXPECT_LT(few.ci95_low, .5);
  EXPECT_LT(compare_paired(all(10, 0), all(10, 1), media).p_value, .01);
}

TEST(Paired, WithoutCommonItemsIsZero) {
  const SharedMedia media(items_of(2, false));
  const PairedDifference result =
      compare_paired(std::vector<Observation>{{0, 1}}, std::vector<Observation>{{1, 1}}, media);
  EXPECT_EQ(result.num_items, 0);
  EXPECT_EQ(result.difference, 0);
  EXPECT_EQ(result.p_value, 1);
}

TEST(Holm, StepsDownAndNeverFalls) {
  const std::vector<double> adjusted = holm_adjust(std::vector<double>{.04, .01, .03, .5});
  EXPECT_NEAR(adjusted[1], .04, 1e-12);
  EXPECT_NEAR(adjusted[2], .09, 1e-12);
  EXPECT_NEAR(adjusted[0], .09, 1e-12);
  EXPECT_NEAR(adjusted[3], .5, 1e-12);
  EXPECT_TRUE(holm_adjust({}).empty());
  EXPECT_EQ(holm_adjust(std::vector<double>{.9, .8}), (std::vector<double>{1, 1}));
}

}  // namespace
}  // namespace contra4::scoring
