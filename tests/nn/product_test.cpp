#include "contra4/nn/product.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/softmax.h>

namespace contra4::nn {
namespace {

at::Tensor random(const std::vector<std::int64_t>& shape, std::uint64_t seed) {
  return at::randn(shape, at::detail::createCPUGenerator(seed), at::TensorOptions());
}

// The exact sum, rounded once.
TEST(Product, IsRoundedOnceInEveryType) {
  const at::Tensor x = random({3, 5, 40}, 1);
  const at::Tensor weight = random({7, 40}, 2);
  const at::Tensor bias = random({7}, 3);
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
    const at::Tensor typed = x.to(type);
    const at::Tensor found = product(typed, weight.to(type), bias.to(type));
    EXPECT_EQ(found.scalar_type(), type);
    const at::Tensor wanted = at::linear(typed.to(at::kDouble), weight.to(type).to(at::kDouble),
                                         bias.to(type).to(at::kDouble));
    const double bound = type == at::kFloat ? 1e-5 : type == at::kHalf ? 2e-3 : 2e-2;
    EXPECT_TRUE(at::allclose(found.to(at::kDouble), wanted, bound, bound)) << type;
  }
  EXPECT_TRUE(at::allclose(product(x, weight), at::matmul(x, weight.t()), 1e-5, 1e-5));
}

TEST(Product, TakesFactorsAlong) {
  const at::Tensor weight = random({7, 40}, 2);
  const at::Tensor bias = random({7}, 3);
  for (const at::Tensor& x : {random({2, 3, 40}, 1), random({6, 40}, 4)}) {
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
      const auto exact = [type](const at::Tensor& t) { return t.to(type).to(at::kDouble); };
      const at::Tensor wanted =
          at::matmul(exact(x), exact(weight).t()).mul(3).add(exact(bias), -0.5);
      const at::Tensor found =
          product(x.to(type), weight.to(type), bias.to(type), {.product = 3, .bias = -0.5});
      EXPECT_EQ(found.sizes(), wanted.sizes());
      const double bound = type == at::kFloat ? 1e-5 : 3e-2;
      EXPECT_TRUE(at::allclose(found.to(at::kDouble), wanted, bound, 3 * bound)) << type;
    }
    EXPECT_TRUE(at::allclose(product(x, weight, {}, {.product = 3}),
                             at::matmul(x, weight.t()).mul(3), 1e-5, 1e-5));
  }
}

TEST(Product, GoesThroughFloat32OnlyWhereThatIsFaster) {
  EXPECT_FALSE(multiplies_in_float32(at::ones({1})));
  EXPECT_TRUE(multiplies_in_float32(at::ones({1}).to(at::kHalf)));
}

TEST(Attention, AgreesWithItsFormulaInEveryType) {
  const at::Tensor q = random({2, 3, 4, 8}, 4);
  const at::Tensor k = random({2, 3, 4, 8}, 5);
  const at::Tensor v = random({2, 3, 4, 8}, 6);
  const at::Tensor sees = at::ones({4, 4}).tril().to(at::kBool);
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
    const auto typed = [&](const at::Tensor& x) { return x.to(type); };
    const double bound = type == at::kFloat ? 1e-5 : 2e-2;
    const auto wanted = [&](bool is_causal) {
      at::Tensor scores =
          at::matmul(typed(q).to(at::kDouble), typed(k).to(at::kDouble).transpose(2, 3))
              .div(std::sqrt(8.0));
      if (is_causal) scores = scores.masked_fill(sees.logical_not(), -1e30);
      return at::matmul(at::softmax(scores, -1), typed(v).to(at::kDouble));
    };
    const auto close = [&](const at::Tensor& found, bool is_causal) {
      return found.scalar_type() == type &&
             at::allclose(found.to(at::kDouble), wanted(is_causal), bound, bound);
    };
    EXPECT_TRUE(close(attention(typed(q), typed(k), typed(v)), false)) << type;
    EXPECT_TRUE(close(attention(typed(q), typed(k), typed(v), {}, true), true)) << type;
    EXPECT_TRUE(close(attention(typed(q), typed(k), typed(v), sees), true)) << type;
    const at::Tensor added = at::ones({4, 4}).masked_fill(sees, 0).mul(-1e4).to(type);
    EXPECT_TRUE(close(attention(typed(q), typed(k), typed(v), added), true)) << type;
  }
}

TEST(Convolution, AgreesInEveryType) {
  const at::Tensor x = random({2, 3, 8, 6}, 7);
  const at::Tensor filter = random({4, 3, 2, 2}, 8);
  const at::Tensor bias = random({4}, 9);
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
    const at::Tensor found = convolution(x.to(type), filter.to(type), bias.to(type), 2);
    EXPECT_EQ(found.scalar_type(), type);
    EXPECT_EQ(found.sizes().vec(), (std::vector<std::int64_t>{2, 4, 4, 3}));
    const double bound = type == at::kFloat ? 1e-5 : 3e-2;
    EXPECT_TRUE(
        at::allclose(found.to(at::kFloat), at::conv2d(x, filter, bias, {2, 2}), bound, 3 * bound))
        << type;
  }
}

}  // namespace
}  // namespace contra4::nn
