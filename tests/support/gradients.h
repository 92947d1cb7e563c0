// Gradients against differences of the function itself.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/max.h>
#include <c10/core/GradMode.h>

namespace contra4::testing {

using TensorFunction = std::function<at::Tensor(const std::vector<at::Tensor>&)>;

// All elements count, none as much as another.
inline at::Tensor weighted_sum(const at::Tensor& x) {
  return x.mul(at::arange(x.numel(), at::kDouble).add_(1).cos_().view(x.sizes())).sum();
}

// The largest difference between what autograd says and central differences say, over all elements
// of all operands, relative to the largest gradient of the operand or 1; NaN where an operand gets
// no gradient. Operands are taken in float64.
inline double gradient_error(const TensorFunction& function,
                             const std::vector<at::Tensor>& operands) {
  std::vector<at::Tensor> leaves;
  constexpr double kStep = 1e-5;
  for (const at::Tensor& operand : operands) {
    leaves.push_back(operand.detach().to(at::kDouble).clone().requires_grad_());
  }
  weighted_sum(function(leaves)).backward();
  const c10::NoGradGuard no_gradients;
  double worst = 0;
  for (at::Tensor& leaf : leaves) {
    if (!leaf.grad().defined()) return std::nan("");
    at::Tensor differences = at::empty_like(leaf);
    auto* values = leaf.mutable_data_ptr<double>();
    auto* wanted = differences.mutable_data_ptr<double>();
    for (std::int64_t i = 0; i < leaf.numel(); ++i) {
      const double value = values[i];
      values[i] = value + kStep;
      const double above = weighted_sum(function(leaves)).item<double>();
      values[i] = value - kStep;
      const double below = weighted_sum(function(leaves)).item<double>();
      values[i] = value;
      wanted[i] = (above - below) / (2 * kStep);
    }
    const double scale = std::max(1.0, differences.abs().max().item<double>());
    worst = std::max(worst, differences.sub(leaf.grad()).abs().max().item<double>() / scale);
  }
  return worst;
}

}  // namespace contra4::testing
