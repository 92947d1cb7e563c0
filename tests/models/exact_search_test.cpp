#include "contra4/models/exact_search.h"

#include <cmath>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/random.h"
#include "tests/support/error_of.h"
#include "tests/support/vectors.h"

namespace contra4::models {
namespace {

using ::testing::ElementsAre;

void expect_same(const Neighbors& found, const Neighbors& expected, const char* what) {
  EXPECT_EQ(found.k, expected.k) << what;
  EXPECT_EQ(found.rows, expected.rows) << what;
  EXPECT_EQ(found.scores, expected.scores) << what;
}

// Rows with what makes a search go wrong: equal ones, and ones that differ less than single
// precision can tell apart in a sum.
std::vector<float> crowded_rows(std::size_t num_rows, std::size_t dimension) {
  std::vector<float> rows = testing::random_unit_rows(num_rows, dimension, 1);
  Random random(2);
  for (std::size_t row = 1; row < num_rows; ++row) {
    const std::uint64_t kind = random.below(3);
    if (kind == 0) continue;
    const std::size_t from = random.below(row);
    for (std::size_t i = 0; i < dimension; ++i) {
      rows[row * dimension + i] = rows[from * dimension + i];
    }
    float& touched = rows[row * dimension + random.below(dimension)];
    if (kind == 2) touched = std::nextafter(touched, 2.0F);
  }
  return rows;
}

TEST(ExactSearch, GivesTheBitsOfThePortableSearch) {
  for (const std::size_t dimension : {1U, 3U, 64U, 384U}) {
    const std::vector<float> base = crowded_rows(700, dimension);
    const std::vector<float> queries = testing::random_unit_rows(40, dimension, 3);
    for (const std::size_t k : {1U, 30U, 700U, 1000U}) {
      expect_same(ExactSearch({}).search(base, queries, dimension, k, {}),
                  make_portable_neighbor_search()->search(base, queries, dimension, k, {}),
                  "defaults");
    }
  }
}

TEST(ExactSearch, DoesNotDependOnBlocksAndThreads) {
  constexpr std::size_t kDimension = 48;
  const std::vector<float> base = crowded_rows(1000, kDimension);
  const std::vector<float> queries = testing::random_unit_rows(65, kDimension, 3);
  const Neighbors expected =
      ExactSearch({.num_threads = 1}).search(base, queries, kDimension, 9, {});
  for (const int num_threads : {1, 2, 5}) {
    for (const std::size_t query_block : {1U, 7U, 64U}) {
      for (const std::size_t row_block : {1U, 13U, 32U, 999U}) {
        const ExactSearch search({num_threads, query_block, row_block});
        expect_same(search.search(base, queries, kDimension, 9, {}), expected, "blocks");
      }
    }
  }
}

TEST(ExactSearch, AQueryDoesNotDependOnTheOthers) {
  constexpr std::size_t kDimension = 100;
  const std::vector<float> base = crowded_rows(500, kDimension);
  const std::vector<float> queries = testing::random_unit_rows(20, kDimension, 4);
  const ExactSearch search({});
  const Neighbors all = search.search(base, queries, kDimension, 5, {});
  for (std::size_t query = 0; query < 20; ++query) {
    const Neighbors one = search.search(
        base, std::span(queries).subspan(query * kDimension, kDimension), kDimension, 5, {});
    EXPECT_TRUE(std::equal(one.rows.begin(), one.rows.end(), all.rows.begin() + query * 5));
    EXPECT_TRUE(std::equal(one.scores.begin(), one.scores.end(), all.scores.begin() + query * 5));
  }
}

TEST(ExactSearch, RanksWhatSinglePrecisionCannotTellApart) {
  // A sum in single precision loses the small term, the score itself does not.
  const std::vector<float> base = {1e8F, 1.0F, -1e8F, 1e8F, 2.0F, -1e8F, 1e8F, 0.0F, -1e8F};
  const std::vector<float> query = {1.0F, 1.0F, 1.0F};
  const Neighbors found = ExactSearch({}).search(base, query, 3, 3, {});
  EXPECT_THAT(found.rows, ElementsAre(1, 0, 2));
  EXPECT_THAT(found.scores, ElementsAre(2.0F, 1.0F, 0.0F));
}

TEST(ExactSearch, TakesRowsOfAnyLengthZeroIncluded) {
  const std::vector<float> base = {0, 0, 1e15F, 1e-30F, 1e-38F, 0, -3, 1};
  const std::vector<float> queries = {0, 0, 1e-5F, 1, 1e-38F, 1e-38F};
  expect_same(ExactSearch({}).search(base, queries, 2, 4, {}),
              make_portable_neighbor_search()->search(base, queries, 2, 4, {}), "lengths");
}

TEST(ExactSearch, WithoutRowsOrQueriesFindsNothing) {
  const std::vector<float> rows = {1, 0};
  EXPECT_EQ(ExactSearch({}).search({}, rows, 2, 3, {}).num_queries(), 0U);
  EXPECT_EQ(ExactSearch({}).search(rows, {}, 2, 3, {}).num_queries(), 0U);
  EXPECT_EQ(ExactSearch({}).search(rows, rows, 2, 0, {}).num_queries(), 0U);
}

TEST(ExactSearch, AfterAStopGivesNoQueryThatIsNotWhole) {
  const std::vector<float> base = testing::random_unit_rows(10, 4, 5);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(ExactSearch({}).search(base, base, 4, 3, stop.get_token()).num_queries(), 0U);
}

TEST(ExactSearch, RejectsValuesThatAreNoNumbers) {
  const std::vector<float> good = {1, 0};
  const std::vector<float> bad = {1, NAN};
  for (const auto& [base, queries] : {std::pair(good, bad), std::pair(bad, good)}) {
    EXPECT_EQ(testing::error_of([&] { ExactSearch({}).search(base, queries, 2, 1, {}); }).code,
              ErrorCode::kInvalidArgument);
  }
}

TEST(ExactSearch, RejectsImpossibleNumbersOfThreads) {
  EXPECT_EQ(testing::error_of([] { ExactSearch({.num_threads = -1}); }).code,
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace contra4::models
