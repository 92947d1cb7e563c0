#include "contra4/nn/product.h"

#include <optional>

#include <ATen/ops/addmm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include "contra4/nn/blocked_attention.h"
#include "contra4/nn/onednn_product.h"
#include "contra4/nn/processor.h"

namespace contra4::nn {

namespace {

at::Tensor widened(const at::Tensor& x) {
  return x.defined() ? x.to(at::kFloat) : x;
}

std::optional<at::Tensor> if_defined(const at::Tensor& x) {
  return x.defined() ? std::optional(x) : std::nullopt;
}

at::Tensor multiply(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                    const ProductFactors& factors) {
  if (prefers_onednn(x, weight)) {
    // Rows are narrower than what comes of them where factors are taken along.
    return onednn_product(factors.product == 1 ? x : x.mul(factors.product), weight,
                          !bias.defined() || factors.bias == 1 ? bias : bias.mul(factors.bias));
  }
  if (factors.product == 1 && factors.bias == 1) return at::linear(x, weight, if_defined(bias));
  if (!bias.defined()) return at::linear(x, weight).mul_(factors.product);
  const at::Tensor rows = x.flatten(0, -2);
  return at::addmm(bias, rows, weight.t(), factors.bias, factors.product)
      .unflatten(0, x.sizes().slice(0, static_cast<std::size_t>(x.dim() - 1)));
}

}  // namespace

bool multiplies_in_float32(const at::Tensor& operand) {
  if (!operand.is_cpu()) return false;
  const at::ScalarType type = operand.scalar_type();
  return type == at::kHalf || (type == at::kBFloat16 && !has_bfloat16_instructions());
}

bool multiplies_apart(const at::Tensor& x, const at::Tensor& weight) {
  return multiplies_in_float32(x) || prefers_onednn(x, weight);
}

at::Tensor product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                   const ProductFactors& factors) {
  if (!multiplies_in_float32(x)) return multiply(x, weight, bias, factors);
  return multiply(widened(x), widened(weight), widened(bias), factors).to(x.scalar_type());
}

at::Tensor matrix_product(const at::Tensor& a, const at::Tensor& b) {
  if (!multiplies_in_float32(a)) {
    // Of a transposed matrix both libraries are equally fast.
    const bool is_by_rows = a.stride(1) == 1;
    return is_by_rows && prefers_onednn(a, b.t()) ? onednn_product(a, b.t(), {}) : at::mm(a, b);
  }
  return at::mm(widened(a), widened(b)).to(a.scalar_type());
}

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const at::Tensor& mask, bool is_causal) {
  if (!mask.defined() && prefers_blocked_attention(q, k, v)) {
    return blocked_attention(q, k, v, is_causal);
  }
  if (!multiplies_in_float32(q)) {
    return at::scaled_dot_product_attention(q, k, v, if_defined(mask), 0.0, is_causal);
  }
  const bool is_added = mask.defined() && mask.scalar_type() != at::kBool;
  return at::scaled_dot_product_attention(widened(q), widened(k), widened(v),
                                          if_defined(is_added ? widened(mask) : mask), 0.0,
                                          is_causal)
      .to(q.scalar_type());
}

at::Tensor convolution(const at::Tensor& x, const at::Tensor& filter, const at::Tensor& bias,
                       std::int64_t stride) {
  if (!multiplies_in_float32(x)) {
    return at::conv2d(x, filter, if_defined(bias), {stride, stride});
  }
  return at::conv2d(widened(x), widened(filter), if_defined(widened(bias)), {stride, stride})
      .to(x.scalar_type());
}

}  // namespace contra4::nn
