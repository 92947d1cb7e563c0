#include "contra4/eval/request_plan.h"

#include <set>

#include <gtest/gtest.h>

#include "contra4/data/item_reader.h"
#include "tests/eval/eval_fixtures.h"
#include "tests/support/test_env.h"

namespace contra4::eval {
namespace {

TEST(RequestPlan, RequestsOfAnItemFollowEachOther) {
  const auto dataset = testing::make_dataset(4);
  const RequestPlan plan(dataset.items, {.permutations = Permutations::kAll});
  EXPECT_EQ(plan.num_items(), 4U);
  EXPECT_EQ(plan.num_requests(), 2U + 6 + 24 + 2);
  EXPECT_EQ(plan.request(0).order, (SceneOrder{0, 1}));
  EXPECT_EQ(plan.request(1).order, (SceneOrder{1, 0}));
  EXPECT_EQ(plan.request(2).item, 1U);
  EXPECT_EQ(plan.request(33).item, 3U);
  EXPECT_EQ(plan.first_request(2), 8U);
  EXPECT_EQ(plan.last_request(2), 32U);
  EXPECT_THROW(plan.request(34), Exception);
}

TEST(RequestPlan, FinderIsTheInverse) {
  const auto dataset = testing::make_dataset(7);
  const RequestPlan plan(dataset.items,
                         {.permutations = Permutations::kCircular, .shard = {2, 2}, .limit = {}});
  const RequestPlan::Finder finder(plan);
  for (std::size_t i = 0; i < plan.num_requests(); ++i) {
    const PlannedRequest request = plan.request(i);
    EXPECT_EQ(finder.find(dataset.items[request.item].id.text, order_name(request.order)), i);
  }
  EXPECT_FALSE(finder.find("item_0", "AB")) << "of another shard";
  EXPECT_FALSE(finder.find("item_1", "ACB")) << "no rotation";
  EXPECT_FALSE(finder.find("nobody", "AB"));
}

TEST(RequestPlan, ShardsPartTheSet) {
  const auto dataset = testing::make_dataset(11);
  std::multiset<std::size_t> items;
  for (int index = 1; index <= 3; ++index) {
    const RequestPlan plan(dataset.items, {.shard = {index, 3}, .limit = {}});
    for (std::size_t i = 0; i < plan.num_items(); ++i) items.insert(plan.item_at(i));
  }
  EXPECT_EQ(items.size(), 11U);
  EXPECT_EQ(std::set<std::size_t>(items.begin(), items.end()).size(), 11U);
}

TEST(RequestPlan, LimitIsTheFirstOfTheShard) {
  const auto dataset = testing::make_dataset(10);
  const RequestPlan plan(dataset.items, {.shard = {2, 3}, .limit = 2});
  ASSERT_EQ(plan.num_items(), 2U);
  EXPECT_EQ(plan.item_at(0), 1U);
  EXPECT_EQ(plan.item_at(1), 4U);
}

TEST(RequestPlan, EmptySetsAndShardsBeyondTheSetHaveNoRequests) {
  const auto dataset = testing::make_dataset(2);
  EXPECT_EQ(RequestPlan({}, {}).num_requests(), 0U);
  EXPECT_EQ(RequestPlan(dataset.items, {.shard = {5, 9}, .limit = {}}).num_requests(), 0U);
  EXPECT_EQ(RequestPlan(dataset.items, {.shard = {}, .limit = 0}).num_requests(), 0U);
}

TEST(RequestPlan, RefusesAnItemThatIsNoQuestion) {
  auto dataset = testing::make_dataset(1);
  dataset.items[0].scenes.resize(5);
  EXPECT_THROW(RequestPlan(dataset.items, {}), Exception);
}

TEST(RequestPlanGolden, RequestsOnTheReleasedTestSet) {
  CONTRA4_REQUIRE_SHARED();
  const auto dataset =
      data::load_dataset(contra4::testing::shared_dir() / "contra4/release/test.json");
  const auto requests = [&](Permutations kind) {
    return RequestPlan(dataset.items, {.permutations = kind}).num_requests();
  };
  EXPECT_EQ(requests(Permutations::kNone), 2335U);
  EXPECT_EQ(requests(Permutations::kCircular), 6917U);
  EXPECT_EQ(requests(Permutations::kAll), 23780U);
}

}  // namespace
}  // namespace contra4::eval
