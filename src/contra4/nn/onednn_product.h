// Products by oneDNN: in float32 where it outruns the library that libtorch takes by itself, and
// with what follows a product computed while its rows are in the cache.
#pragma once

#include <ATen/core/Tensor.h>

namespace contra4::nn {

// Whether x W^T is one for oneDNN: large float32 on a processor by AMD, where libtorch's own
// choice, MKL, reaches 140 to 190 GFLOPS of the 210 that two Zen 4 cores have and oneDNN 195 to
// 210. On Intel's both are equally fast.
//   x  [..., in]   weight  [out, in]
bool prefers_onednn(const at::Tensor& x, const at::Tensor& weight);

// x W^T + b, with gradients; for what prefers_onednn().
//   x  [..., in]   weight  [out, in], any strides   bias  [out], or undefined   returns  [..., out]
at::Tensor onednn_product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

// Whether gated_product() is for such operands: what prefers_onednn(), and as large products of
// bfloat16, which are oneDNN's anyway. Not in a training.
bool prefers_gated_product(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& up);

// silu(x G^T) * (x U^T), for what prefers_gated_product().
//   x  [..., in]   gate, up  [out, in]   returns  [..., out]
at::Tensor gated_product(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& up);

}  // namespace contra4::nn
