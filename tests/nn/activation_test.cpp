#include "contra4/nn/activation.h"

#include <cmath>
#include <vector>

#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "tests/support/gradients.h"
#include "tests/support/tensors.h"

namespace contra4::nn {
namespace {

double activated(const char* name, double value) {
  at::Tensor x = at::tensor({value});
  activate(find_activation(name).value(), x);
  return x.item<double>();
}

TEST(Activation, IsTheNamedFunction) {
  for (const double x : {-3.0, -0.5, 0.0, 0.7, 2.0}) {
    EXPECT_NEAR(activated("gelu", x), x * 0.5 * (1 + std::erf(x / std::sqrt(2.0))), 1e-12);
    const double inner = std::sqrt(2.0 / std::acos(-1.0)) * (x + 0.044715 * x * x * x);
    EXPECT_NEAR(activated("gelu_new", x), 0.5 * x * (1 + std::tanh(inner)), 1e-12);
    EXPECT_EQ(activated("relu", x), x > 0 ? x : 0);
    EXPECT_NEAR(activated("silu", x), x / (1 + std::exp(-x)), 1e-12);
    EXPECT_NEAR(activated("quick_gelu", x), x / (1 + std::exp(-1.702 * x)), 1e-12);
  }
}

TEST(Activation, IsFactoredIntoOneThatTakesAScaledInput) {
  for (const char* name : {"gelu", "gelu_new", "quick_gelu", "relu", "silu"}) {
    const auto activation = find_activation(name).value();
    const auto [inner, factor] = factored(activation);
    at::Tensor x = at::tensor({-1.5, 0.2, 2.5}, at::kDouble);
    at::Tensor scaled = x.mul(factor);
    activate(activation, x);
    activate(inner, scaled);
    EXPECT_TRUE(at::allclose(scaled, x.mul(factor), 1e-12, 1e-12)) << name;
  }
}

TEST(Activation, KnowsNoOtherName) {
  EXPECT_FALSE(find_activation("GELU").has_value());
  EXPECT_FALSE(find_activation("").has_value());
}

TEST(Activation, HasItsGradientAndThenLeavesItsInput) {
  const at::Tensor values = testing::wavy({3, 4}).mul(2);
  for (const char* name : {"gelu", "gelu_new", "quick_gelu", "relu", "silu"}) {
    const auto activation = find_activation(name).value();
    const auto function = [&](const std::vector<at::Tensor>& x) {
      at::Tensor out = x[0].clone();
      activate(activation, out);
      return out;
    };
    EXPECT_LT(testing::gradient_error(function, {values}), 1e-8) << name;
    const at::Tensor leaf = values.clone().requires_grad_();
    at::Tensor recorded = leaf;
    activate(activation, recorded);
    EXPECT_TRUE(at::equal(recorded, function({values}))) << name;
    EXPECT_TRUE(at::equal(leaf, values)) << name;
  }
}

}  // namespace
}  // namespace contra4::nn
