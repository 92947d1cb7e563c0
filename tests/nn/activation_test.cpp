#include "contra4/nn/activation.h"

#include <cmath>

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

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

TEST(Activation, KnowsNoOtherName) {
  EXPECT_FALSE(find_activation("GELU").has_value());
  EXPECT_FALSE(find_activation("").has_value());
}

}  // namespace
}  // namespace contra4::nn
