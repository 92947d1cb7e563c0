#include "contra4/models/onellm/point_groups.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "tests/support/tensors.h"

namespace contra4::models::onellm {
namespace {

// Points of a grid of integers: nearly all distances have equals.
at::Tensor grid(std::int64_t n, std::uint32_t seed) {
  at::Tensor xyz = at::empty({n, 3});
  auto* values = xyz.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < xyz.numel(); ++i) {
    seed = seed * 1664525U + 1013904223U;
    values[i] = static_cast<float>(seed >> 29U);
  }
  return xyz;
}

float squared_distance(const at::Tensor& xyz, std::int64_t a, std::int64_t b) {
  const float* values = xyz.const_data_ptr<float>();
  float sum = 0;
  for (std::int64_t i = 0; i < 3; ++i) {
    const float d = values[3 * a + i] - values[3 * b + i];
    sum += d * d;
  }
  return sum;
}

std::uint32_t reversed_bits(std::uint32_t value, int num_bits) {
  std::uint32_t reversed = 0;
  for (int i = 0; i < num_bits; ++i) reversed |= (value >> i & 1U) << (num_bits - 1 - i);
  return reversed;
}

// By the rule in words: of the farthest rows the one whose thread, its bits reversed, is lowest;
// within a thread the lowest row.
std::vector<std::int64_t> by_rule(const at::Tensor& xyz, std::int64_t count, int num_bits) {
  std::vector<std::int64_t> taken = {0};
  while (std::ssize(taken) < count) {
    std::int64_t best = -1;
    std::pair<float, std::uint32_t> best_key;
    for (std::int64_t row = 0; row < xyz.size(0); ++row) {
      float nearest = 1e10F;
      for (const std::int64_t other : taken) {
        nearest = std::min(nearest, squared_distance(xyz, row, other));
      }
      const auto thread = static_cast<std::uint32_t>(row % (1LL << num_bits));
      const std::pair key(-nearest, reversed_bits(thread, num_bits));
      if (best < 0 || key < best_key) {
        best = row;
        best_key = key;
      }
    }
    taken.push_back(best);
  }
  return taken;
}

TEST(PointGroups, OfEqualDistancesTheKernelsIsTaken) {
  const at::Tensor many = grid(2500, 1);  // a block of 1,024 threads
  EXPECT_EQ(farthest_points(many, 40), by_rule(many, 40, 10));
  const at::Tensor few = grid(100, 2);  // a block of 64
  EXPECT_EQ(farthest_points(few, 30), by_rule(few, 30, 6));
}

TEST(PointGroups, WithoutAnotherPointTheFirstIsRepeated) {
  EXPECT_EQ(farthest_points(at::zeros({5, 3}), 4), (std::vector<std::int64_t>{0, 0, 0, 0}));
}

TEST(PointGroups, NeighboursAreTheNearestAndTheLowestOfEquals) {
  const at::Tensor xyz = grid(300, 3);
  const std::vector<std::int64_t> centres = {0, 17, 299};
  const at::Tensor found = nearest_points(xyz, centres, 20);
  for (std::int64_t i = 0; i < 3; ++i) {
    std::vector<std::pair<float, std::int64_t>> order;
    for (std::int64_t row = 0; row < 300; ++row) {
      order.emplace_back(squared_distance(xyz, centres[static_cast<std::size_t>(i)], row), row);
    }
    std::sort(order.begin(), order.end());
    std::set<std::int64_t> expected;
    for (std::size_t j = 0; j < 20; ++j) expected.insert(order[j].second);
    const auto* rows = found.const_data_ptr<std::int64_t>() + i * 20;
    EXPECT_EQ(std::set<std::int64_t>(rows, rows + 20), expected) << i;
  }
}

// A cloud that stands twice gives the groups that one by one, without the shortcut, it gives.
TEST(PointGroups, ATwiceGivenCloudIsLookedAtOnce) {
  const at::Tensor xyz = grid(1024, 4);
  const at::Tensor once = at::cat({testing::wavy({1024, 3}), xyz}, 1);
  const at::Tensor twice = at::cat({once, once});
  const PointGroupsOptions options{.num_centres = 50, .group_size = 32};
  const PointGroups groups = group_points(twice, options);
  EXPECT_TRUE(at::equal(groups.points, once));
  EXPECT_EQ(groups.rows.size(1), 16);
  const at::Tensor doubled = twice.narrow(1, 3, 3).contiguous();
  const auto centres = farthest_points(doubled, 50);
  const at::Tensor rows = nearest_points(doubled, centres, 32);
  for (std::int64_t i = 0; i < 50; ++i) {
    std::multiset<std::int64_t> expected;
    std::map<float, int> distances_found;
    std::map<float, int> distances_expected;
    const std::int64_t centre = centres[static_cast<std::size_t>(i)];
    for (std::int64_t j = 0; j < 32; ++j) {
      const auto row = rows.const_data_ptr<std::int64_t>()[i * 32 + j];
      ++distances_expected[squared_distance(doubled, row, centre)];
    }
    for (std::int64_t j = 0; j < 16; ++j) {
      const auto row = groups.rows.const_data_ptr<std::int64_t>()[i * 16 + j];
      distances_found[squared_distance(xyz.contiguous(), row, centre % 1024)] += 2;
    }
    EXPECT_EQ(distances_found, distances_expected) << i;
  }
}

TEST(PointGroups, RoundsToBfloat16WhereAsked) {
  const at::Tensor points = testing::wavy({2048, 6});
  const PointGroups groups =
      group_points(points, {.num_centres = 4, .group_size = 8, .rounds_to_bfloat16 = true});
  EXPECT_TRUE(at::equal(groups.points, points.to(at::kBFloat16).to(at::kFloat)));
  EXPECT_TRUE(at::equal(group_points(points, {.num_centres = 4, .group_size = 8}).points, points));
}

}  // namespace
}  // namespace contra4::models::onellm
