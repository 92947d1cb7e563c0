#include "contra4/nn/rotary.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include <ATen/ops/allclose.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "tests/support/gradients.h"
#include "tests/support/tensors.h"

namespace contra4::nn {
namespace {

constexpr std::int64_t kHeads = 2;
constexpr std::int64_t kHeadWidth = 6;
const std::vector<std::int64_t> kPositions = {0, 7, 3};

// The definition, pair by pair.
at::Tensor turned(const at::Tensor& x, RotaryLayout layout) {
  at::Tensor out = x.clone();
  for (std::int64_t row = 0; row < x.size(0); ++row) {
    for (std::int64_t head = 0; head < kHeads; ++head) {
      for (std::int64_t i = 0; i < kHeadWidth / 2; ++i) {
        const bool is_split = layout == RotaryLayout::kHalfSplit;
        const std::int64_t base = row * kHeads * kHeadWidth + head * kHeadWidth;
        const std::int64_t a = base + (is_split ? i : 2 * i);
        const std::int64_t b = base + (is_split ? i + kHeadWidth / 2 : 2 * i + 1);
        const double angle = static_cast<double>(kPositions[static_cast<std::size_t>(row)]) *
                             std::pow(100.0, -2.0 * static_cast<double>(i) / kHeadWidth);
        const float* from = x.const_data_ptr<float>();
        auto* to = out.mutable_data_ptr<float>();
        to[a] = static_cast<float>(from[a] * std::cos(angle) - from[b] * std::sin(angle));
        to[b] = static_cast<float>(from[a] * std::sin(angle) + from[b] * std::cos(angle));
      }
    }
  }
  return out;
}

class RotaryTest : public ::testing::TestWithParam<RotaryLayout> {
 protected:
  Rotary rotary() const {
    return Rotary({.head_width = kHeadWidth, .num_positions = 8, .base = 100, .layout = GetParam()},
                  at::kCPU);
  }
};

TEST_P(RotaryTest, TurnsPairsByTheirPositions) {
  const at::Tensor x = testing::wavy({3, kHeads * kHeadWidth});
  const at::Tensor expected = turned(x, GetParam());
  rotary().rotate(x, x.size(1), rotary().angles(at::tensor(kPositions, at::kLong)));
  EXPECT_TRUE(at::allclose(x, expected, 1e-5, 1e-6));
}

TEST_P(RotaryTest, LeavesWhatLiesBesideTheRows) {
  const at::Tensor whole = testing::wavy({3, 3 * kHeads * kHeadWidth});
  const at::Tensor before = whole.clone();
  const at::Tensor part = whole.narrow(1, kHeads * kHeadWidth, kHeads * kHeadWidth);
  const at::Tensor expected = turned(part.contiguous(), GetParam());
  rotary().rotate(part, part.size(1), rotary().angles(at::tensor(kPositions, at::kLong)));
  EXPECT_TRUE(at::allclose(part, expected, 1e-5, 1e-6));
  for (const std::int64_t first : {std::int64_t{0}, 2 * kHeads * kHeadWidth}) {
    EXPECT_TRUE(at::allclose(whole.narrow(1, first, kHeads * kHeadWidth),
                             before.narrow(1, first, kHeads * kHeadWidth), 0, 0));
  }
}

TEST_P(RotaryTest, ComputesHalfTypesInSinglePrecision) {
  const at::Tensor x = testing::wavy({3, kHeads * kHeadWidth}).to(at::kBFloat16);
  const at::Tensor expected = turned(x.to(at::kFloat), GetParam()).to(at::kBFloat16);
  rotary().rotate(x, x.size(1), rotary().angles(at::tensor(kPositions, at::kLong)));
  EXPECT_TRUE(at::allclose(x.to(at::kFloat), expected.to(at::kFloat), 1e-2, 1e-3));
}

TEST_P(RotaryTest, TurnsTheFirstColumnsAndTheirGradientsBack) {
  const Rotary exact(
      {.head_width = kHeadWidth, .num_positions = 8, .base = 100, .layout = GetParam()}, at::kCPU,
      at::kDouble);
  const at::Tensor positions = at::tensor(kPositions, at::kLong);
  const std::int64_t width = kHeads * kHeadWidth;
  const auto function = [&](const std::vector<at::Tensor>& x) {
    return exact.rotate(x[0].mul(2), width, exact.angles(positions));
  };
  const at::Tensor x = testing::wavy({3, width + 4});
  EXPECT_LT(testing::gradient_error(function, {x}), 1e-8);
  const at::Tensor found = function({x.to(at::kDouble).requires_grad_()});
  EXPECT_TRUE(
      at::allclose(found.narrow(1, width, 4), x.narrow(1, width, 4).mul(2).to(at::kDouble)));
  EXPECT_TRUE(at::allclose(
      found.narrow(1, 0, width),
      turned(x.narrow(1, 0, width).mul(2).contiguous(), GetParam()).to(at::kDouble), 1e-5, 1e-6));
}

INSTANTIATE_TEST_SUITE_P(Layouts, RotaryTest,
                         ::testing::Values(RotaryLayout::kInterleaved, RotaryLayout::kHalfSplit));

}  // namespace
}  // namespace contra4::nn
