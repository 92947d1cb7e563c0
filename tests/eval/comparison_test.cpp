#include "contra4/eval/comparison.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/io/json.h"
#include "tests/eval/eval_fixtures.h"

namespace contra4::eval {
namespace {

using ::testing::HasSubstr;

// Right on the items of [first, last) out of those of [from, to).
Results make_results(const ScoringContext& context, std::string name, std::size_t from,
                     std::size_t to, std::size_t right) {
  Run run;
  run.name = std::move(name);
  for (std::size_t item = 0; item < context.items().size(); ++item) run.selected.push_back(item);
  for (std::size_t item = from; item < to; ++item) {
    Prediction prediction;
    prediction.item = item;
    prediction.order = file_order(context.items()[item].num_scenes());
    const int gold = *context.items()[item].answer;
    prediction.choice =
        item - from < right ? gold : (gold + 1) % context.items()[item].num_scenes();
    run.predictions.rows.push_back(std::move(prediction));
  }
  return compute_results(context, run);
}

TEST(Comparison, EachAgainstEachOrAgainstTheFirst) {
  const auto dataset = testing::make_dataset(100);
  const ScoringContext context(dataset);
  const std::vector<Results> results = {make_results(context, "a", 0, 100, 90),
                                        make_results(context, "b", 0, 100, 60),
                                        make_results(context, "c", 0, 100, 88)};
  const Comparison all = compare_runs(context, results);
  ASSERT_EQ(all.pairs.size(), 3U);
  EXPECT_NEAR(all.pairs[0].difference.difference, .3, 1e-12);
  EXPECT_TRUE(all.pairs[0].difference.is_significant);
  EXPECT_FALSE(all.pairs[1].difference.is_significant);
  EXPECT_NEAR(all.pairs[2].difference.difference, -.28, 1e-12);
  EXPECT_TRUE(all.warnings.empty());
  EXPECT_EQ(compare_runs(context, results, {.level = .05, .against_first = true}).pairs.size(), 2U);
}

TEST(Comparison, PartialRunsAreComparedOverWhatTheyShare) {
  const auto dataset = testing::make_dataset(100);
  const ScoringContext context(dataset);
  const std::vector<Results> results = {make_results(context, "a", 0, 100, 90),
                                        make_results(context, "b", 50, 100, 25)};
  const Comparison comparison = compare_runs(context, results);
  EXPECT_EQ(comparison.pairs[0].difference.num_items, 50);
  ASSERT_EQ(comparison.warnings.size(), 1U);
  EXPECT_THAT(comparison.warnings[0], HasSubstr("over the 50 items that both have"));
}

TEST(Comparison, RefusesOneRunAndRunsWithoutACommonItem) {
  const auto dataset = testing::make_dataset(20);
  const ScoringContext context(dataset);
  const std::vector<Results> one = {make_results(context, "a", 0, 10, 5)};
  EXPECT_THROW(compare_runs(context, one), Exception);
  const std::vector<Results> apart = {make_results(context, "a", 0, 10, 5),
                                      make_results(context, "b", 10, 20, 5)};
  EXPECT_THROW(compare_runs(context, apart), Exception);
}

TEST(Comparison, JsonNamesThePairs) {
  const auto dataset = testing::make_dataset(40);
  const ScoringContext context(dataset);
  const std::vector<Results> results = {make_results(context, "a", 0, 40, 30),
                                        make_results(context, "b", 0, 40, 30)};
  const auto json =
      io::parse_json(comparison_to_json(compare_runs(context, results)), "comparison").value();
  EXPECT_EQ(*json.find_path("pairs", 0, "a")->find_string(), "a");
  EXPECT_EQ(json.find_path("pairs", 0, "significant")->find_bool(), false);
  EXPECT_EQ(json.find_path("pairs", 0, "p_adjusted")->find_number(), 1);
}

}  // namespace
}  // namespace contra4::eval
