#include "contra4/nn/rms_norm.h"

#include <cmath>
#include <vector>

#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include "tests/support/gradients.h"
#include "tests/support/tensors.h"

namespace contra4::nn {
namespace {

TEST(RmsNorm, DividesByTheRootMeanSquareAndScales) {
  const at::Tensor x = testing::wavy({3, 8}).mul(5);
  const at::Tensor weight = testing::wavy({8}, 1);
  const at::Tensor found = RmsNorm{.weight = weight, .eps = 1e-2}(x);
  for (std::int64_t row = 0; row < 3; ++row) {
    double squares = 0;
    for (std::int64_t i = 0; i < 8; ++i) {
      squares += std::pow(x.const_data_ptr<float>()[row * 8 + i], 2);
    }
    for (std::int64_t i = 0; i < 8; ++i) {
      const double expected = x.const_data_ptr<float>()[row * 8 + i] /
                              std::sqrt(squares / 8 + 1e-2) * weight.const_data_ptr<float>()[i];
      EXPECT_NEAR(found.const_data_ptr<float>()[row * 8 + i], expected, 1e-6);
    }
  }
}

// In bfloat16 the square of 300 times 4096 has no room for its last digits: sums are in float32.
TEST(RmsNorm, SumsInSinglePrecisionWhateverTheType) {
  const at::Tensor x = at::full({1, 4096}, 300.0F).to(at::kBFloat16);
  const RmsNorm norm{.weight = at::ones({4096}).to(at::kBFloat16), .eps = 1e-5};
  const at::Tensor found = norm(x);
  EXPECT_EQ(found.scalar_type(), at::kBFloat16);
  EXPECT_TRUE(at::allclose(found.to(at::kFloat), at::ones({1, 4096}), 0, 0));
}

TEST(RmsNorm, HasItsGradientsAndTheSameOutcomeWithThem) {
  const auto function = [](const std::vector<at::Tensor>& x) {
    return RmsNorm{.weight = x[1], .eps = 1e-2}(x[0]);
  };
  const at::Tensor x = testing::wavy({2, 3, 8}).mul(3);
  const at::Tensor weight = testing::wavy({8}, 1);
  EXPECT_LT(testing::gradient_error(function, {x, weight}), 1e-8);
  EXPECT_TRUE(at::equal(function({x.clone().requires_grad_(), weight}), function({x, weight})));
}

TEST(RmsNorm, GivesNoGradientThatNobodyWants) {
  const at::Tensor x = testing::wavy({3, 8}).requires_grad_();
  const at::Tensor weight = testing::wavy({8}, 1);
  RmsNorm{.weight = weight}(x).sum().backward();
  EXPECT_TRUE(x.grad().defined());
  EXPECT_FALSE(weight.grad().defined());
}

TEST(RmsNorm, TrainsInHalfTypes) {
  const at::Tensor x = testing::wavy({3, 8});
  const at::Tensor weight = testing::wavy({8}, 1);
  const auto gradient = [&](at::ScalarType type) {
    const at::Tensor leaf = x.to(type).detach().requires_grad_();
    RmsNorm{.weight = weight.to(type)}(leaf).square().sum().backward();
    EXPECT_EQ(leaf.grad().scalar_type(), type);
    return leaf.grad().to(at::kFloat);
  };
  EXPECT_TRUE(at::allclose(gradient(at::kBFloat16), gradient(at::kFloat), 0.05, 0.05));
}

}  // namespace
}  // namespace contra4::nn
