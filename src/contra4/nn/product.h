// Matrix products in the type of their operands, at the speed that the device has.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace contra4::nn {

// Whether products of such tensors go through float32: halves and bfloat16 on a processor without
// instructions for them, where libtorch's own products take several times as long as those of
// float32. Sums are single precision then as with the instructions, the result is rounded to the
// operands' type.
bool multiplies_in_float32(const at::Tensor& operand);

// Factors that a product takes along at no cost.
struct ProductFactors {
  double product = 1;
  double bias = 1;
};

// x W^T, and + b where there is one, each times its factor.
//   x  [..., in]   weight  [out, in]   bias  [out], or undefined   returns  [..., out]
at::Tensor product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {},
                   const ProductFactors& factors = {});

// Whether product() of these is another than at::mm, so that it is not computed into a matrix that
// is there: it gives one of its own.
//   x  [..., in]   weight  [out, in]
bool multiplies_apart(const at::Tensor& x, const at::Tensor& weight);

// a b of two matrices, rows and columns any number of elements apart.
at::Tensor matrix_product(const at::Tensor& a, const at::Tensor& b);

// softmax(q k^T / sqrt(width of a head)) v.
//   q  [batch, heads, queries, width]   k, v  [batch, heads, keys, width]   returns as q
//   mask       undefined, or added to the scores (true: seen, where it is of truth values)
//   is_causal  the i-th query sees the first i + 1 keys; without a mask only
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const at::Tensor& mask = {}, bool is_causal = false);

// Two-dimensional, without padding, the same stride both ways.
//   x  [batch, in, height, width]   filter  [out, in, h, w]   bias  [out], or undefined
at::Tensor convolution(const at::Tensor& x, const at::Tensor& filter, const at::Tensor& bias,
                       std::int64_t stride);

}  // namespace contra4::nn
