#include "contra4/nn/onednn_product.h"

#include <cstdint>
#include <optional>
#include <vector>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/silu.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "contra4/nn/processor.h"

namespace contra4::nn {
namespace {

at::Tensor random(const std::vector<std::int64_t>& shape, std::uint64_t seed) {
  return at::randn(shape, at::detail::createCPUGenerator(seed), at::TensorOptions());
}

TEST(OnednnProduct, IsThatOfLibtorch) {
  const at::Tensor bias = random({96}, 3);
  for (const std::vector<std::int64_t>& shape :
       std::vector<std::vector<std::int64_t>>{{40, 64}, {3, 5, 64}, {1, 64}}) {
    const at::Tensor x = random(shape, 1);
    for (const at::Tensor& weight : {random({96, 64}, 2), random({64, 96}, 2).t()}) {
      for (const at::Tensor& b : {bias, at::Tensor()}) {
        const at::Tensor wanted =
            at::linear(x.to(at::kDouble), weight.to(at::kDouble),
                       b.defined() ? std::optional(b.to(at::kDouble)) : std::nullopt);
        const at::Tensor found = onednn_product(x, weight, b);
        EXPECT_EQ(found.sizes(), wanted.sizes());
        EXPECT_TRUE(at::allclose(found.to(at::kDouble), wanted, 1e-5, 1e-5));
      }
    }
  }
}

TEST(OnednnProduct, TakesRowsThatLieApart) {
  const at::Tensor wide = random({20, 200}, 1);
  const at::Tensor weight = random({30, 64}, 2);
  const at::Tensor x = wide.narrow(1, 100, 64);
  EXPECT_TRUE(at::allclose(onednn_product(x, weight, {}), at::linear(x, weight), 1e-5, 1e-5));
}

struct Trained {
  bool input = true;
  bool weight = true;
  bool bias = true;
  bool has_bias = true;
};

// The gradients of input, weight and bias: undefined where there is none.
std::vector<at::Tensor> gradients_of(at::ScalarType type, bool is_onednn, const Trained& trained) {
  const at::Tensor x = random({2, 20, 64}, 1).to(type).requires_grad_(trained.input);
  const at::Tensor weight = random({96, 64}, 2).to(type).requires_grad_(trained.weight);
  const at::Tensor bias = random({96}, 3).to(type).requires_grad_(trained.bias);
  const std::optional<at::Tensor> added = trained.has_bias ? std::optional(bias) : std::nullopt;
  const at::Tensor out = is_onednn ? onednn_product(x, weight, added.value_or(at::Tensor()))
                                   : at::linear(x, weight, added);
  out.backward(random({2, 20, 96}, 4).to(type));
  return {x.grad(), weight.grad(), bias.grad()};
}

TEST(OnednnProduct, HasGradients) {
  for (const Trained& trained :
       {Trained{}, Trained{.weight = false, .bias = false}, Trained{.input = false},
        Trained{.bias = false, .has_bias = false}, Trained{.input = false, .weight = false},
        Trained{.weight = false, .bias = false, .has_bias = false}}) {
    const auto found = gradients_of(at::kFloat, true, trained);
    const auto wanted = gradients_of(at::kDouble, false, trained);
    for (std::size_t i = 0; i < found.size(); ++i) {
      ASSERT_EQ(found[i].defined(), wanted[i].defined()) << i;
      if (!found[i].defined()) continue;
      EXPECT_TRUE(at::allclose(found[i].to(at::kDouble), wanted[i], 1e-4, 1e-4)) << i;
    }
  }
}

TEST(PrefersOnednn, LargeFloat32Alone) {
  const at::Tensor x = random({256, 256}, 1);
  const at::Tensor weight = random({256, 256}, 2);
  EXPECT_FALSE(prefers_onednn(x.narrow(0, 0, 1), weight)) << "one row";
  EXPECT_FALSE(prefers_onednn(x.to(at::kDouble), weight.to(at::kDouble)));
  EXPECT_FALSE(prefers_onednn(x.to(at::kBFloat16), weight.to(at::kBFloat16)));
  EXPECT_EQ(prefers_onednn(x, weight), is_processor_by_amd());
}

TEST(GatedProduct, IsTheGateTimesTheOtherProduct) {
  const at::Tensor x = random({50, 64}, 1);
  const at::Tensor gate = random({90, 64}, 2).mul_(0.2);
  const at::Tensor up = random({90, 64}, 3).mul_(0.2);
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const auto exact = [type](const at::Tensor& t) { return t.to(type).to(at::kDouble); };
    const at::Tensor wanted =
        at::silu(at::linear(exact(x), exact(gate))).mul(at::linear(exact(x), exact(up)));
    const at::Tensor found = gated_product(x.to(type), gate.to(type), up.to(type));
    EXPECT_EQ(found.scalar_type(), type);
    const double bound = type == at::kFloat ? 1e-5 : 2e-2;
    EXPECT_TRUE(at::allclose(found.to(at::kDouble), wanted, bound, bound)) << type;
  }
}

TEST(PrefersGatedProduct, LargeOnesWithoutGradients) {
  const at::Tensor x = random({256, 256}, 1);
  const at::Tensor weight = random({256, 256}, 2);
  EXPECT_EQ(prefers_gated_product(x, weight, weight), is_processor_by_amd());
  EXPECT_EQ(prefers_gated_product(x.to(at::kBFloat16), weight.to(at::kBFloat16),
                                  weight.to(at::kBFloat16)),
            has_bfloat16_instructions());
  EXPECT_FALSE(prefers_gated_product(x.narrow(0, 0, 1), weight, weight));
  const at::Tensor trained = random({256, 256}, 3).requires_grad_();
  EXPECT_FALSE(prefers_gated_product(x, weight, trained));
  const c10::NoGradGuard computes_for_a_backward_pass;
  EXPECT_FALSE(prefers_gated_product(x, weight, trained));
}

}  // namespace
}  // namespace contra4::nn
