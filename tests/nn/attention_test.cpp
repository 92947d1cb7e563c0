#include "contra4/nn/attention.h"

#include <cmath>
#include <vector>

#include <ATen/ops/allclose.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "tests/support/gradients.h"

namespace contra4::nn {
namespace {

constexpr std::int64_t kHeads = 2;
constexpr std::int64_t kHeadWidth = 3;
constexpr std::int64_t kWidth = kHeads * kHeadWidth;

at::Tensor seeded(std::int64_t rows, std::int64_t columns) {
  // A fixed pattern rather than a generator: the same everywhere.
  at::Tensor x = at::empty({rows, columns});
  float* values = x.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    values[i] = std::sin(static_cast<float>(i) * 1.7F + 0.3F);
  }
  return x;
}

// The definition, with loops and doubles, for one sequence.
at::Tensor attention_by_definition(const at::Tensor& qkv) {
  const std::int64_t length = qkv.size(0);
  at::Tensor out = at::zeros({length, kWidth});
  const auto at_row = [&](std::int64_t row, std::int64_t column) {
    return static_cast<double>(qkv.const_data_ptr<float>()[row * 3 * kWidth + column]);
  };
  for (std::int64_t head = 0; head < kHeads; ++head) {
    for (std::int64_t i = 0; i < length; ++i) {
      std::vector<double> weights;
      double sum = 0;
      for (std::int64_t j = 0; j < length; ++j) {
        double score = 0;
        for (std::int64_t k = 0; k < kHeadWidth; ++k) {
          const std::int64_t column = head * kHeadWidth + k;
          score += at_row(i, column) * at_row(j, kWidth + column);
        }
        weights.push_back(std::exp(score / std::sqrt(static_cast<double>(kHeadWidth))));
        sum += weights.back();
      }
      for (std::int64_t k = 0; k < kHeadWidth; ++k) {
        const std::int64_t column = head * kHeadWidth + k;
        double value = 0;
        for (std::int64_t j = 0; j < length; ++j) {
          value += weights[static_cast<std::size_t>(j)] / sum * at_row(j, 2 * kWidth + column);
        }
        out.mutable_data_ptr<float>()[i * kWidth + column] = static_cast<float>(value);
      }
    }
  }
  return out;
}

TEST(Attention, EverySequenceAttendsToItselfOnly) {
  const SequenceGroups groups = {{.count = 2, .length = 3}, {.count = 1, .length = 5}};
  const at::Tensor qkv = seeded(num_rows(groups), 3 * kWidth);
  const at::Tensor out = self_attention(qkv, groups, {.num_heads = kHeads});
  std::int64_t row = 0;
  for (const std::int64_t length : {3, 3, 5}) {
    EXPECT_TRUE(at::allclose(out.narrow(0, row, length),
                             attention_by_definition(qkv.narrow(0, row, length).contiguous()), 1e-5,
                             1e-6));
    row += length;
  }
}

TEST(Attention, ASequenceOfOneGivesItsValue) {
  const at::Tensor qkv = seeded(1, 3 * kWidth);
  EXPECT_TRUE(at::allclose(self_attention(qkv, {{.count = 1, .length = 1}}, {.num_heads = kHeads}),
                           qkv.narrow(1, 2 * kWidth, kWidth)));
}

TEST(Attention, MergingHeadsUndoesSplitting) {
  const at::Tensor x = seeded(4, kWidth).view({2, 2, kWidth});
  const at::Tensor heads = split_heads(x, kHeads);
  EXPECT_EQ(heads.sizes(), at::IntArrayRef({2, kHeads, 2, kHeadWidth}));
  EXPECT_TRUE(at::equal(merge_heads(heads), x));
}

TEST(Attention, FewQueriesSeeAllRowsOfTheirSequence) {
  const at::Tensor qkv = seeded(10, 3 * kWidth).view({2, 5, 3 * kWidth});
  const at::Tensor all =
      self_attention(qkv.flatten(0, 1), {{.count = 2, .length = 5}}, {.num_heads = kHeads})
          .view({2, 5, kWidth});
  const at::Tensor found = cross_attention(qkv.narrow(1, 0, 2).narrow(2, 0, kWidth),
                                           qkv.narrow(2, kWidth, 2 * kWidth), kHeads);
  EXPECT_TRUE(at::allclose(found, all.narrow(1, 0, 2), 1e-5, 1e-6));
}

TEST(Attention, ChecksItsSizes) {
  const at::Tensor qkv = seeded(4, 3 * kWidth);
  EXPECT_THROW(self_attention(qkv, {{.count = 1, .length = 3}}, {.num_heads = kHeads}), Exception);
  EXPECT_THROW(self_attention(qkv, {{.count = 1, .length = 4}}, {.num_heads = 4}), Exception);
}

TEST(Attention, ACausalRowSeesThoseBeforeItAlone) {
  const SequenceGroups groups = {{.count = 2, .length = 3}, {.count = 1, .length = 5}};
  const at::Tensor qkv = seeded(num_rows(groups), 3 * kWidth);
  const at::Tensor out = self_attention(qkv, groups, {.num_heads = kHeads, .is_causal = true});
  std::int64_t first = 0;
  for (const std::int64_t length : {3, 3, 5}) {
    for (std::int64_t row = 0; row < length; ++row) {
      const at::Tensor seen = qkv.narrow(0, first, row + 1).contiguous();
      EXPECT_TRUE(at::allclose(out.narrow(0, first + row, 1),
                               attention_by_definition(seen).narrow(0, row, 1), 1e-5, 1e-6));
    }
    first += length;
  }
}

TEST(Attention, HasItsGradients) {
  for (const bool is_causal : {false, true}) {
    for (const SequenceGroups& groups :
         {SequenceGroups{{.count = 2, .length = 3}},
          SequenceGroups{{.count = 2, .length = 2}, {.count = 1, .length = 3}}}) {
      const auto function = [&](const std::vector<at::Tensor>& x) {
        return self_attention(x[0], groups, {.num_heads = kHeads, .is_causal = is_causal});
      };
      EXPECT_LT(testing::gradient_error(function, {seeded(num_rows(groups), 3 * kWidth)}), 1e-8);
    }
  }
  const auto crossed = [](const std::vector<at::Tensor>& x) {
    return cross_attention(x[0], x[1], kHeads);
  };
  EXPECT_LT(testing::gradient_error(crossed, {seeded(4, kWidth).view({2, 2, kWidth}),
                                              seeded(6, 2 * kWidth).view({2, 3, 2 * kWidth})}),
            1e-8);
}

}  // namespace
}  // namespace contra4::nn
