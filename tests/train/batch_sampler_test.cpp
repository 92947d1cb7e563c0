#include "contra4/train/batch_sampler.h"

#include <algorithm>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/error_of.h"

namespace contra4::train {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Group g has sizes[g] items, which follow each other.
std::vector<std::int64_t> groups_of(const std::vector<int>& sizes) {
  std::vector<std::int64_t> groups;
  for (std::size_t group = 0; group < sizes.size(); ++group) {
    groups.insert(groups.end(), static_cast<std::size_t>(sizes[group]),
                  static_cast<std::int64_t>(group));
  }
  return groups;
}

// Items that one process sees in an epoch, in its order.
std::vector<std::int64_t> seen(const BatchSampler& sampler, std::int64_t epoch, int rank) {
  std::vector<std::int64_t> items;
  for (std::int64_t step = 0; step < sampler.steps_per_epoch(); ++step) {
    for (const auto& batch : sampler.step(epoch, step, rank)) {
      for (const BatchPlace& place : batch) items.push_back(place.item);
    }
  }
  return items;
}

// Places of all processes in one step.
std::vector<BatchPlace> union_of(const BatchSampler& sampler, int num_processes, std::int64_t epoch,
                                 std::int64_t step) {
  std::vector<BatchPlace> all;
  for (int rank = 0; rank < num_processes; ++rank) {
    for (const auto& batch : sampler.step(epoch, step, rank)) {
      all.insert(all.end(), batch.begin(), batch.end());
    }
  }
  return all;
}

// All processes go through equally many batches, and compute what does not count only where a batch
// would be empty.
void expect_even_batches(const BatchSampler& sampler, int num_processes, std::int64_t epoch,
                         std::int64_t step) {
  const std::size_t num_batches = sampler.step(epoch, step, 0).size();
  EXPECT_GT(num_batches, 0U);
  for (int rank = 0; rank < num_processes; ++rank) {
    const StepBatches batches = sampler.step(epoch, step, rank);
    EXPECT_EQ(batches.size(), num_batches);
    for (const auto& batch : batches) {
      EXPECT_FALSE(batch.empty());
      if (batch.size() == 1) continue;
      for (const BatchPlace& place : batch) EXPECT_TRUE(place.counts);
    }
  }
}

std::vector<std::int64_t> counted_items(const std::vector<BatchPlace>& places) {
  std::vector<std::int64_t> items;
  for (const BatchPlace& place : places) {
    if (place.counts) items.push_back(place.item);
  }
  std::sort(items.begin(), items.end());
  return items;
}

TEST(BatchSampler, CompatGivesThePublishedOrderToTwoProcesses) {
  const BatchSampler sampler(groups_of({7, 5, 1}),
                             {.batch_size = 1, .num_processes = 2, .is_compat = true});
  EXPECT_EQ(sampler.steps_per_epoch(), 5);
  EXPECT_EQ(sampler.num_left_out(), 3);
  EXPECT_THAT(seen(sampler, 0, 0), ElementsAre(3, 0, 7, 8, 5));
  EXPECT_THAT(seen(sampler, 0, 1), ElementsAre(2, 1, 9, 10, 4));
}

TEST(BatchSampler, CompatGivesThePublishedOrderOfAccumulatedSteps) {
  const BatchSampler sampler(
      groups_of({9, 11}),
      {.batch_size = 2, .num_processes = 1, .accumulation = 2, .is_compat = true});
  EXPECT_EQ(sampler.steps_per_epoch(), 4);
  EXPECT_EQ(sampler.num_left_out(), 4);
  EXPECT_THAT(seen(sampler, 1, 0),
              ElementsAre(2, 6, 3, 7, 5, 0, 1, 4, 12, 13, 14, 9, 10, 15, 16, 11));
  const StepBatches batches = sampler.step(1, 1, 0);
  ASSERT_EQ(batches.size(), 2U);
  ASSERT_EQ(batches[1].size(), 2U);
  EXPECT_EQ(batches[1][0].item, 1);
  EXPECT_TRUE(batches[1][0].counts);
}

TEST(BatchSampler, CompatNeverSeesTheEndsOfGroupsAndTakesNoSeed) {
  const BatchSampler sampler(groups_of({9, 3}), {.batch_size = 4, .seed = 5, .is_compat = true});
  const BatchSampler other(groups_of({9, 3}), {.batch_size = 4, .seed = 6, .is_compat = true});
  EXPECT_EQ(sampler.num_left_out(), 4);
  for (std::int64_t epoch = 0; epoch < 20; ++epoch) {
    const auto items = seen(sampler, epoch, 0);
    EXPECT_EQ(items.size(), 8U);
    EXPECT_LT(*std::max_element(items.begin(), items.end()), 8);
    EXPECT_EQ(items, seen(other, epoch, 0));
  }
}

TEST(BatchSampler, CompatOfSmallGroupsHasNoSteps) {
  const BatchSampler sampler(groups_of({3, 2}), {.batch_size = 4, .is_compat = true});
  EXPECT_EQ(sampler.steps_per_epoch(), 0);
  EXPECT_EQ(sampler.num_left_out(), 5);
}

TEST(BatchSampler, EveryItemCountsOnceAnEpochWhateverTheSizes) {
  const std::vector<std::vector<int>> sizes = {{1}, {7, 5, 1}, {16, 16}, {3, 40, 1, 1, 12}};
  for (const std::vector<int>& groups : sizes) {
    const auto group_of_item = groups_of(groups);
    for (const std::int64_t batch_size : {1, 2, 3}) {
      for (const int num_processes : {1, 2, 4}) {
        for (const std::int64_t accumulation : {1, 3}) {
          const BatchSampler sampler(group_of_item, {.batch_size = batch_size,
                                                     .num_processes = num_processes,
                                                     .accumulation = accumulation,
                                                     .seed = 3});
          EXPECT_EQ(sampler.num_left_out(), 0);
          std::map<std::int64_t, int> counts;
          for (std::int64_t step = 0; step < sampler.steps_per_epoch(); ++step) {
            const auto places = union_of(sampler, num_processes, 2, step);
            expect_even_batches(sampler, num_processes, 2, step);
            std::set<std::int64_t> shown;
            std::set<std::int64_t> counted;
            std::set<std::int64_t> kinds;
            for (const BatchPlace& place : places) {
              kinds.insert(group_of_item[static_cast<std::size_t>(place.item)]);
              shown.insert(place.item);
              if (!place.counts) continue;
              counted.insert(place.item);
              ++counts[place.item];
            }
            EXPECT_EQ(kinds.size(), 1U);
            EXPECT_EQ(shown, counted) << "places are filled with items of the same step";
          }
          EXPECT_EQ(counts.size(), group_of_item.size());
          for (const auto& [item, count] : counts) EXPECT_EQ(count, 1) << item;
        }
      }
    }
  }
}

TEST(BatchSampler, OnlyTheLastStepOfAGroupHasPlacesThatDoNotCount) {
  const BatchSampler sampler(groups_of({10}), {.batch_size = 4});
  ASSERT_EQ(sampler.steps_per_epoch(), 3);
  std::vector<std::size_t> sizes;
  for (std::int64_t step = 0; step < 3; ++step) {
    sizes.push_back(counted_items(union_of(sampler, 1, 0, step)).size());
  }
  std::sort(sizes.begin(), sizes.end());
  EXPECT_THAT(sizes, ElementsAre(2, 4, 4));
}

TEST(BatchSampler, WithNothingToLearnFromAProcessComputesOneItemThatDoesNotCount) {
  const BatchSampler sampler(groups_of({1}),
                             {.batch_size = 2, .num_processes = 2, .accumulation = 1});
  ASSERT_EQ(sampler.steps_per_epoch(), 1);
  const auto places = union_of(sampler, 2, 0, 0);
  ASSERT_EQ(places.size(), 2U);
  for (std::size_t i = 0; i < places.size(); ++i) {
    EXPECT_EQ(places[i].item, 0);
    EXPECT_EQ(places[i].counts, i == 0);
  }
}

TEST(BatchSampler, TheLastStepOfAGroupEndsWithItsItems) {
  const BatchSampler sampler(groups_of({5}),
                             {.batch_size = 2, .num_processes = 2, .accumulation = 8});
  ASSERT_EQ(sampler.steps_per_epoch(), 1);
  const StepBatches first = sampler.step(0, 0, 0);
  const StepBatches second = sampler.step(0, 0, 1);
  ASSERT_EQ(first.size(), 2U);
  ASSERT_EQ(second.size(), 2U);
  EXPECT_EQ(first[0].size() + second[0].size(), 4U);
  ASSERT_EQ(first[1].size(), 1U);
  EXPECT_TRUE(first[1][0].counts);
  ASSERT_EQ(second[1].size(), 1U);
  EXPECT_FALSE(second[1][0].counts);
}

TEST(BatchSampler, AStepHasTheSameItemsHoweverItIsDividedAmongProcesses) {
  const auto groups = groups_of({13, 6, 21});
  const BatchSampler one(groups, {.batch_size = 4, .num_processes = 1, .seed = 9});
  const BatchSampler two(groups, {.batch_size = 2, .num_processes = 2, .seed = 9});
  const BatchSampler four(groups, {.batch_size = 1, .num_processes = 4, .seed = 9});
  const BatchSampler gathered(groups,
                              {.batch_size = 1, .num_processes = 2, .accumulation = 2, .seed = 9});
  ASSERT_EQ(one.steps_per_epoch(), 12);
  for (std::int64_t step = 0; step < 12; ++step) {
    const auto items = counted_items(union_of(one, 1, 1, step));
    EXPECT_EQ(items, counted_items(union_of(two, 2, 1, step)));
    EXPECT_EQ(items, counted_items(union_of(four, 4, 1, step)));
    EXPECT_EQ(items, counted_items(union_of(gathered, 2, 1, step)));
  }
}

TEST(BatchSampler, StepsAreTheSameInWhateverOrderTheyAreAskedFor) {
  const auto groups = groups_of({13, 6, 21});
  const BatchSamplerOptions options{.batch_size = 3, .seed = 1};
  const BatchSampler straight(groups, options);
  const BatchSampler jumping(groups, options);
  const auto epoch_one = seen(straight, 1, 0);
  seen(jumping, 7, 0);
  const StepBatches third = jumping.step(1, 2, 0);
  jumping.step(0, 0, 0);
  EXPECT_EQ(third[0][0].item, epoch_one[6]);
  EXPECT_EQ(seen(jumping, 1, 0), epoch_one);
}

TEST(BatchSampler, SeedAndEpochDecideTheOrder) {
  const auto groups = groups_of({40, 40});
  const BatchSampler sampler(groups, {.seed = 1});
  const BatchSampler other(groups, {.seed = 2});
  EXPECT_NE(seen(sampler, 0, 0), seen(sampler, 1, 0));
  EXPECT_NE(seen(sampler, 0, 0), seen(other, 0, 0));
  // Seed 1 in epoch 2 is not seed 2 in epoch 1.
  EXPECT_NE(seen(sampler, 2, 0), seen(other, 1, 0));
}

// Written down so that a training continues in another version as it began.
TEST(BatchSampler, TheDefaultOrderIsPartOfTheContract) {
  const BatchSampler sampler(groups_of({5, 4}), {.batch_size = 2, .seed = 3});
  EXPECT_THAT(seen(sampler, 1, 0), ElementsAre(1, 4, 7, 8, 5, 6, 0, 2, 3));
}

TEST(BatchSampler, GroupsNeedNoOrderAndAnyNumbersAreNames) {
  const BatchSampler sampler(std::vector<std::int64_t>{-5, 1LL << 60, -5, 1LL << 60, -5},
                             {.batch_size = 3});
  ASSERT_EQ(sampler.steps_per_epoch(), 2);
  std::set<std::vector<std::int64_t>> steps = {counted_items(union_of(sampler, 1, 0, 0)),
                                               counted_items(union_of(sampler, 1, 0, 1))};
  EXPECT_THAT(steps, ElementsAre(ElementsAre(0, 2, 4), ElementsAre(1, 3)));
}

TEST(BatchSampler, NoItemsAreNoSteps) {
  EXPECT_EQ(BatchSampler({}, {}).steps_per_epoch(), 0);
  EXPECT_EQ(BatchSampler({}, {.is_compat = true}).steps_per_epoch(), 0);
}

TEST(BatchSampler, RefusesSizesThatMakeNoStep) {
  const auto groups = groups_of({4});
  for (const BatchSamplerOptions& wrong : std::vector<BatchSamplerOptions>{
           {.batch_size = 0},
           {.batch_size = -2},
           {.num_processes = 0},
           {.accumulation = 0},
           {.batch_size = 1LL << 40},
           {.batch_size = 1LL << 40, .num_processes = 1 << 20, .accumulation = 1LL << 40}}) {
    const Error error = testing::error_of([&] { BatchSampler(groups, wrong); });
    EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.message, HasSubstr("micro-batches; each is 1 or more"));
  }
  const BatchSampler sampler(groups, {.batch_size = 2});
  EXPECT_THROW(sampler.step(0, 2, 0), Exception);
  EXPECT_THROW(sampler.step(0, -1, 0), Exception);
  EXPECT_THROW(sampler.step(0, 0, 1), Exception);
  EXPECT_THROW(sampler.step(-1, 0, 0), Exception);
}

}  // namespace
}  // namespace contra4::train
