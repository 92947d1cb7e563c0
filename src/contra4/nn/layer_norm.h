// Normalisation over the last dimension.
#pragma once

#include <cstdint>
#include <string>

#include <ATen/core/Tensor.h>

#include "contra4/nn/placement.h"
#include "contra4/tensor/checkpoint.h"

namespace contra4::nn {

struct LayerNorm {
  at::Tensor weight;  // [width]
  at::Tensor bias;    // [width]
  double eps = 1e-5;  // added to the variance

  // x [..., width] -> the same shape and type; sums are kept in float32
  at::Tensor operator()(const at::Tensor& x) const;
};

struct LayerNormShape {
  std::int64_t width = 0;
  double eps = 1e-5;
};

// `name`.weight and `name`.bias. Throws as load_weight().
LayerNorm load_layer_norm(const tensor::Checkpoint& checkpoint, const std::string& name,
                          const LayerNormShape& shape, const Placement& placement = {});

}  // namespace contra4::nn
