// Normalisation by the root mean square over the last dimension.
#pragma once

#include <cstdint>
#include <string>

#include <ATen/core/Tensor.h>

#include "contra4/nn/placement.h"
#include "contra4/tensor/checkpoint.h"

namespace contra4::nn {

struct RmsNorm {
  at::Tensor weight;  // [width]
  double eps = 1e-5;  // added to the mean square

  // x [..., width] -> the same shape and type. At least in float32 up to the product with the
  // weight.
  at::Tensor operator()(const at::Tensor& x) const;
};

// Its parts, for layers that keep the input of a norm and not what it gives.

// One over the root mean square of each row: x [..., width] -> [..., 1], float32 or float64.
at::Tensor row_scales(const at::Tensor& x, double eps);
// x times the scales, in x's type, times the weight.
at::Tensor normalised(const at::Tensor& x, const at::Tensor& scales, const at::Tensor& weight);

struct RmsNormGradients {
  at::Tensor input;   // undefined where not wanted
  at::Tensor weight;  // likewise
};
// `gradient`: of what normalised() gave, [..., width].
RmsNormGradients rms_norm_gradients(const at::Tensor& gradient, const at::Tensor& x,
                                    const at::Tensor& scales, const at::Tensor& weight,
                                    bool wants_input, bool wants_weight);

struct RmsNormShape {
  std::int64_t width = 0;
  double eps = 1e-5;
};

// `name`.weight. Throws as load_weight().
RmsNorm load_rms_norm(const tensor::Checkpoint& checkpoint, const std::string& name,
                      const RmsNormShape& shape, const Placement& placement = {});

}  // namespace contra4::nn
