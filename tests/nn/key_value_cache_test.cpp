#include "contra4/nn/key_value_cache.h"

#include <cstdint>
#include <vector>

#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/nn/attention.h"
#include "tests/support/tensors.h"

namespace contra4::nn {
namespace {

constexpr std::int64_t kHeads = 2;
constexpr std::int64_t kWidth = 8;

CacheShape shape(std::int64_t num_sequences, std::int64_t capacity) {
  return {.num_sequences = num_sequences,
          .capacity = capacity,
          .num_heads = kHeads,
          .head_width = kWidth / kHeads};
}

// One sequence [length, 3 * width] from its beginning, causal.
at::Tensor whole(const at::Tensor& qkv) {
  const auto part = [&](std::int64_t i) {
    return split_heads(qkv.narrow(1, i * kWidth, kWidth).unsqueeze(0), kHeads);
  };
  return merge_heads(at::scaled_dot_product_attention(part(0), part(1), part(2), {}, 0.0, true))
      .squeeze(0);
}

at::Tensor attend(KeyValueCache& cache, const at::Tensor& rows, std::vector<CacheGroup> groups) {
  return cache.attend(rows, CacheStep(std::move(groups), cache.shape(), at::kCPU));
}

TEST(KeyValueCache, StepByStepGivesWhatTheWholeDoes) {
  const at::Tensor a = testing::wavy({7, 3 * kWidth}, 1);
  const at::Tensor b = testing::wavy({7, 3 * kWidth}, 2);
  KeyValueCache cache(shape(2, 8), {});
  const auto rows = [&](std::int64_t first, std::int64_t count) {
    return at::cat({a.narrow(0, first, count), b.narrow(0, first, count)});
  };
  std::vector<at::Tensor> of_a;
  std::vector<at::Tensor> of_b;
  std::int64_t past = 0;
  for (const std::int64_t count : {3, 1, 2, 1}) {  // two new rows at once see one another
    const at::Tensor out =
        attend(cache, rows(past, count),
               {{.first_sequence = 0, .count = 2, .past = past, .length = count}});
    of_a.push_back(out.narrow(0, 0, count));
    of_b.push_back(out.narrow(0, count, count));
    past += count;
  }
  EXPECT_TRUE(at::allclose(at::cat(of_a), whole(a), 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(at::cat(of_b), whole(b), 1e-5, 1e-6));
}

TEST(KeyValueCache, MixedLengthsDoNotSeeOneAnother) {
  const at::Tensor a = testing::wavy({3, 3 * kWidth}, 1);
  const at::Tensor b = testing::wavy({6, 3 * kWidth}, 2);
  KeyValueCache cache(shape(2, 6), {});
  const at::Tensor prompt = attend(cache, at::cat({a.narrow(0, 0, 2), b.narrow(0, 0, 5)}),
                                   {{.first_sequence = 0, .count = 1, .past = 0, .length = 2},
                                    {.first_sequence = 1, .count = 1, .past = 0, .length = 5}});
  EXPECT_TRUE(at::allclose(prompt.narrow(0, 0, 2), whole(a).narrow(0, 0, 2), 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(prompt.narrow(0, 2, 5), whole(b).narrow(0, 0, 5), 1e-5, 1e-6));
  // One row each: both at once, the shorter one masked.
  const std::vector<CacheGroup> single = {
      {.first_sequence = 0, .count = 1, .past = 2, .length = 1},
      {.first_sequence = 1, .count = 1, .past = 5, .length = 1}};
  EXPECT_EQ(CacheStep(single, cache.shape(), at::kCPU).groups().size(), 1U);
  const at::Tensor next = attend(cache, at::cat({a.narrow(0, 2, 1), b.narrow(0, 5, 1)}), single);
  EXPECT_TRUE(at::allclose(next.narrow(0, 0, 1), whole(a).narrow(0, 2, 1), 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(next.narrow(0, 1, 1), whole(b).narrow(0, 5, 1), 1e-5, 1e-6));
}

TEST(KeyValueCache, WhatIsOverwrittenIsForgotten) {
  const at::Tensor first = testing::wavy({5, 3 * kWidth}, 1);
  const at::Tensor other = testing::wavy({1, 3 * kWidth}, 2);
  KeyValueCache cache(shape(1, 5), {});
  attend(cache, first, {{.first_sequence = 0, .count = 1, .past = 0, .length = 5}});
  const at::Tensor next =
      attend(cache, other, {{.first_sequence = 0, .count = 1, .past = 2, .length = 1}});
  EXPECT_TRUE(at::allclose(next, whole(at::cat({first.narrow(0, 0, 2), other})).narrow(0, 2, 1),
                           1e-5, 1e-6));
}

TEST(KeyValueCache, BranchesGoOnFromWhatTheyShare) {
  const at::Tensor trunk = testing::wavy({2, 3 * kWidth}, 1);
  const at::Tensor ends = testing::wavy({3, 3 * kWidth}, 2);
  KeyValueCache cache(shape(1, 2), {});
  attend(cache, trunk, {{.first_sequence = 0, .count = 1, .past = 0, .length = 2}});
  KeyValueCache branches =
      cache.branch(at::tensor(std::vector<std::int64_t>{0, 0, 0}, at::kLong), 2, shape(3, 3));
  const at::Tensor out =
      attend(branches, ends, {{.first_sequence = 0, .count = 3, .past = 2, .length = 1}});
  for (std::int64_t i = 0; i < 3; ++i) {
    const at::Tensor alone = whole(at::cat({trunk, ends.narrow(0, i, 1)}));
    EXPECT_TRUE(at::allclose(out.narrow(0, i, 1), alone.narrow(0, 2, 1), 1e-5, 1e-6));
  }
}

TEST(KeyValueCache, ChecksThatRowsFit) {
  EXPECT_THROW(
      CacheStep({{.first_sequence = 0, .count = 1, .past = 3, .length = 3}}, shape(1, 5), at::kCPU),
      Exception);
  EXPECT_THROW(
      CacheStep({{.first_sequence = 1, .count = 1, .past = 0, .length = 1}}, shape(1, 5), at::kCPU),
      Exception);
  KeyValueCache cache(shape(1, 5), {});
  EXPECT_THROW(attend(cache, testing::wavy({2, 3 * kWidth}),
                      {{.first_sequence = 0, .count = 1, .past = 0, .length = 1}}),
               Exception);
}

}  // namespace
}  // namespace contra4::nn
