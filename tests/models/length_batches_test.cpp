#include "contra4/models/length_batches.h"

#include <algorithm>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace contra4::models {
namespace {

using ::testing::ElementsAre;

TEST(LengthBatches, PutsEqualLengthsTogetherInTheirOrder) {
  const std::vector<std::size_t> lengths = {5, 3, 5, 2, 3};
  const auto batches = plan_length_batches(lengths, 100);
  ASSERT_EQ(batches.size(), 1U);
  EXPECT_THAT(batches[0].items, ElementsAre(3, 1, 4, 0, 2));
  ASSERT_EQ(batches[0].groups.size(), 3U);
  EXPECT_EQ(batches[0].groups[1].count, 2);
  EXPECT_EQ(batches[0].groups[1].length, 3);
}

TEST(LengthBatches, KeepsBelowTheRowsWithoutPadding) {
  std::vector<std::size_t> lengths;
  for (std::size_t i = 0; i < 1000; ++i) lengths.push_back(2 + (i * 37) % 50);
  const auto batches = plan_length_batches(lengths, 64);
  std::vector<std::size_t> seen;
  for (const LengthBatch& batch : batches) {
    EXPECT_LE(nn::num_rows(batch.groups), 64);
    EXPECT_EQ(nn::num_sequences(batch.groups), static_cast<std::int64_t>(batch.items.size()));
    std::int64_t rows = 0;
    for (const std::size_t item : batch.items) rows += static_cast<std::int64_t>(lengths[item]);
    EXPECT_EQ(nn::num_rows(batch.groups), rows);
    seen.insert(seen.end(), batch.items.begin(), batch.items.end());
  }
  std::sort(seen.begin(), seen.end());
  std::vector<std::size_t> all(lengths.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  EXPECT_EQ(seen, all);
}

TEST(LengthBatches, ASequenceAboveTheRowsIsABatchOfItsOwn) {
  const auto batches = plan_length_batches(std::vector<std::size_t>{9, 1, 9}, 4);
  ASSERT_EQ(batches.size(), 3U);
  EXPECT_THAT(batches[1].items, ElementsAre(0));
  EXPECT_TRUE(plan_length_batches({}, 4).empty());
}

}  // namespace
}  // namespace contra4::models
