#include "contra4/pipeline/sample_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/error_of.h"

namespace contra4::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> names_of(const std::vector<Combination>& combinations) {
  std::vector<std::string> names;
  for (const Combination& combination : combinations) {
    names.push_back(combination_name(combination));
  }
  return names;
}

std::vector<std::int64_t> counts_of(const std::vector<CombinationPlan>& plans) {
  std::vector<std::int64_t> counts;
  for (const CombinationPlan& plan : plans) counts.push_back(plan.count);
  return counts;
}

TEST(SamplePlan, ElevenCombinationsInThePublishedOrder) {
  EXPECT_THAT(names_of(combinations_of(kModalities)),
              ElementsAre("audio+pc", "audio+image", "audio+video", "pc+image", "pc+video",
                          "image+video", "audio+pc+image", "audio+pc+video", "audio+image+video",
                          "pc+image+video", "audio+pc+image+video"));
  const std::vector<Modality> one = {Modality::kAudio};
  EXPECT_THAT(combinations_of(one), ElementsAre());
  EXPECT_THAT(combinations_of({}), ElementsAre());
}

TEST(SamplePlan, ReadsCombinationsInAnyOrderAndWithRepetition) {
  EXPECT_EQ(combination_name(parse_combination("image+audio").value()), "audio+image");
  EXPECT_EQ(combination_name(parse_combination("3d+image+3d").value()), "pc+pc+image");
  for (const char* wrong : {"", "image", "image+", "image+smell", "pc+pc+pc+pc+pc", "+"}) {
    EXPECT_FALSE(parse_combination(wrong).has_value()) << wrong;
  }
  EXPECT_THAT(parse_combination("image+smell").error().message, HasSubstr("no modality 'smell'"));
}

TEST(SamplePlan, EachCombinationGetsWhatWasAskedFor) {
  const auto plans = plan_combinations(combinations_of(kModalities), 2000, {}, {1, 1, 1, 1});
  std::int64_t first = 0;
  for (const CombinationPlan& plan : plans) {
    EXPECT_EQ(plan.count, 2000);
    EXPECT_EQ(plan.first, first);
    first += plan.count;
  }
}

TEST(SamplePlan, WeightsMoveSharesAndKeepTheTotal) {
  const std::vector<Combination> pairs = {{Modality::kAudio, Modality::kImage},
                                          {Modality::kAudio, Modality::kVideo},
                                          {Modality::kImage, Modality::kVideo}};
  EXPECT_THAT(counts_of(plan_combinations(pairs, 100, {}, {1, 1, 2, 1})),
              ElementsAre(120, 60, 120));
  EXPECT_THAT(counts_of(plan_combinations(pairs, 100, {}, {0, 1, 1, 1})), ElementsAre(0, 0, 300));
  EXPECT_THAT(counts_of(plan_combinations(pairs, 100, 100, {1, 1, 1, 1})), ElementsAre(34, 33, 33));
  EXPECT_THAT(counts_of(plan_combinations(pairs, 1, 2, {1, 1, 1, 1})), ElementsAre(1, 1, 0));
  const Error error = testing::error_of([&] { plan_combinations(pairs, 100, {}, {0, 1, 0, 1}); });
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("weights are 0"));
}

}  // namespace
}  // namespace contra4::pipeline
