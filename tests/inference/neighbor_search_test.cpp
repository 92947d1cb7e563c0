#include "contra4/inference/neighbor_search.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/inference/best_rows.h"
#include "tests/support/error_of.h"
#include "tests/support/vectors.h"

namespace contra4 {
namespace {

using ::testing::ElementsAre;

TEST(PortableSearch, FindsWhatSortingAllScoresFinds) {
  constexpr std::size_t kDimension = 24;
  const std::vector<float> base = testing::random_unit_rows(300, kDimension, 1);
  const std::vector<float> queries = testing::random_unit_rows(17, kDimension, 2);
  const Neighbors found =
      make_portable_neighbor_search()->search(base, queries, kDimension, 30, {});
  ASSERT_EQ(found.k, 30U);
  ASSERT_EQ(found.num_queries(), 17U);
  for (std::size_t query = 0; query < 17; ++query) {
    const auto expected =
        testing::rows_by_sorting(base, std::span(queries).subspan(query * kDimension, kDimension));
    for (std::size_t place = 0; place < 30; ++place) {
      EXPECT_EQ(found.rows[query * 30 + place], expected[place].row);
      EXPECT_EQ(found.scores[query * 30 + place], expected[place].score);
    }
  }
}

TEST(PortableSearch, OfEqualScoresTheLowerRowComesFirst) {
  const std::vector<float> base = {1, 0, 0, 1, 1, 0, 0, 1, 1, 0};
  const std::vector<float> queries = {1, 0, 0, 1, -1, 0};
  const Neighbors found = make_portable_neighbor_search()->search(base, queries, 2, 4, {});
  EXPECT_THAT(found.rows, ElementsAre(0, 2, 4, 1, 1, 3, 0, 2, 1, 3, 0, 2));
}

TEST(PortableSearch, AsksForNoMoreRowsThanThereAre) {
  const std::vector<float> base = {1, 0, 0, 1};
  const std::vector<float> query = {0.6F, 0.8F};
  const auto search = make_portable_neighbor_search();
  const Neighbors found = search->search(base, query, 2, 30, {});
  EXPECT_EQ(found.k, 2U);
  EXPECT_THAT(found.rows, ElementsAre(1, 0));
  EXPECT_THAT(found.scores, ElementsAre(0.8F, 0.6F));
  EXPECT_EQ(search->search({}, query, 2, 30, {}).num_queries(), 0U);
  EXPECT_EQ(search->search(base, {}, 2, 30, {}).num_queries(), 0U);
}

TEST(PortableSearch, DoesNotDependOnThreads) {
  const std::vector<float> base = testing::random_unit_rows(100, 8, 3);
  const std::vector<float> queries = testing::random_unit_rows(50, 8, 4);
  const Neighbors one = make_portable_neighbor_search(1)->search(base, queries, 8, 10, {});
  const Neighbors many = make_portable_neighbor_search(7)->search(base, queries, 8, 10, {});
  EXPECT_EQ(one.rows, many.rows);
  EXPECT_EQ(one.scores, many.scores);
}

TEST(PortableSearch, AfterAStopGivesNoQueryThatIsNotWhole) {
  const std::vector<float> base = testing::random_unit_rows(10, 4, 5);
  std::stop_source stop;
  stop.request_stop();
  const Neighbors found =
      make_portable_neighbor_search()->search(base, base, 4, 3, stop.get_token());
  EXPECT_EQ(found.num_queries(), 0U);
  EXPECT_EQ(found.rows.size(), found.scores.size());
}

TEST(PortableSearch, RejectsValuesThatAreNoNumbers) {
  const std::vector<float> good = {1, 0};
  const std::vector<float> bad = {1, NAN};
  const auto search = make_portable_neighbor_search();
  EXPECT_EQ(testing::error_of([&] { search->search(bad, good, 2, 1, {}); }).code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(testing::error_of([&] { search->search(good, bad, 2, 1, {}); }).code,
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace contra4
