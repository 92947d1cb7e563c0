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

struct RmsNormShape {
  std::int64_t width = 0;
  double eps = 1e-5;
};

// `name`.weight. Throws as load_weight().
RmsNorm load_rms_norm(const tensor::Checkpoint& checkpoint, const std::string& name,
                      const RmsNormShape& shape, const Placement& placement = {});

}  // namespace contra4::nn
