#include "contra4/inference/best_rows.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/random.h"
#include "tests/support/error_of.h"

namespace contra4 {
namespace {

std::vector<std::uint32_t> rows_of(const std::vector<ScoredRow>& entries) {
  std::vector<std::uint32_t> rows;
  for (const ScoredRow& entry : entries) rows.push_back(entry.row);
  return rows;
}

TEST(ExactDot, IsTheSumOfProductsWhateverTheLength) {
  for (std::size_t length = 0; length < 40; ++length) {
    std::vector<float> a;
    std::vector<float> b;
    float sum = 0;
    for (std::size_t i = 0; i < length; ++i) {
      a.push_back(static_cast<float>(i) - 7);
      b.push_back(static_cast<float>(i % 5));
      sum += a.back() * b.back();
    }
    EXPECT_EQ(exact_dot(a, b), sum) << length;
  }
}

TEST(ExactDot, KeepsWhatSinglePrecisionLoses) {
  const std::vector<float> a = {1e8F, 1.0F, -1e8F};
  const std::vector<float> ones = {1.0F, 1.0F, 1.0F};
  EXPECT_EQ(exact_dot(a, ones), 1.0F);
}

TEST(BestRows, KeepsTheBestInOrderWhateverTheOrderOfOffering) {
  Random random(7);
  std::vector<ScoredRow> entries;
  for (std::uint32_t row = 0; row < 200; ++row) {
    entries.push_back({static_cast<float>(random.below(20)), row});  // many ties
  }
  std::vector<ScoredRow> sorted = entries;
  std::sort(sorted.begin(), sorted.end(), is_better);
  for (const std::size_t k : {1U, 2U, 30U, 199U, 200U, 300U}) {
    random.shuffle(entries);
    BestRows best(k);
    for (const ScoredRow& entry : entries) {
      if (entry.score >= best.threshold()) best.offer(entry);
    }
    auto expected = rows_of(sorted);
    expected.resize(std::min<std::size_t>(k, expected.size()));
    EXPECT_EQ(rows_of(best.take_sorted()), expected) << k;
  }
}

TEST(BestRows, OfNoneKeepsNone) {
  BestRows best(0);
  best.offer({1.0F, 3});
  EXPECT_TRUE(best.take_sorted().empty());
}

TEST(BestRows, TheThresholdIsTheWorstScoreOnceItIsFull) {
  BestRows best(2);
  EXPECT_EQ(best.threshold(), -std::numeric_limits<float>::infinity());
  best.offer({0.5F, 0});
  EXPECT_EQ(best.threshold(), -std::numeric_limits<float>::infinity());
  best.offer({0.25F, 1});
  EXPECT_EQ(best.threshold(), 0.25F);
  best.offer({0.75F, 2});
  EXPECT_EQ(best.threshold(), 0.5F);
}

TEST(CheckedNorms, AreEuclidean) {
  const std::vector<float> rows = {3, 4, 0, 0, -5, 12};
  EXPECT_THAT(checked_norms("rows", rows, 2), ::testing::ElementsAre(5.0F, 0.0F, 13.0F));
}

TEST(CheckedNorms, RejectValuesThatAreNoNumbersWithTheirPlace) {
  for (const float value : {NAN, INFINITY, -INFINITY, 3e38F}) {
    const std::vector<float> rows = {1, 0, 0, value};
    const Error error = testing::error_of([&] { checked_norms("captions", rows, 2); });
    EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.message, ::testing::HasSubstr("vector 1 of the captions"));
  }
}

}  // namespace
}  // namespace contra4
