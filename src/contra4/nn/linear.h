// y = x W^T + b.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/tensor/checkpoint.h"

namespace contra4::nn {

struct Linear {
  at::Tensor weight;  // [out, in]
  at::Tensor bias;    // [out], or undefined

  // x [..., in] -> [..., out]
  at::Tensor operator()(const at::Tensor& x) const;
};

struct LinearShape {
  std::int64_t in = 0;
  std::int64_t out = 0;
  bool has_bias = true;
};

// `name`.weight and `name`.bias as float32. Throws as Checkpoint::get_float32.
Linear load_linear(const tensor::Checkpoint& checkpoint, const std::string& name,
                   const LinearShape& shape);

// One layer that gives the outputs of several side by side: one large product instead of small
// ones. All have the same input and all or none a bias.
Linear concatenate_outputs(const std::vector<Linear>& layers);

}  // namespace contra4::nn
