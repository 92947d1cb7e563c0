// y = x W^T + b.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/nn/placement.h"
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

// `name`.weight and `name`.bias. Throws as load_weight().
Linear load_linear(const tensor::Checkpoint& checkpoint, const std::string& name,
                   const LinearShape& shape, const Placement& placement = {});

// One layer that gives the outputs of several side by side: one large product instead of small
// ones. All have the same input and all or none a bias.
Linear concatenate_outputs(const std::vector<Linear>& layers);

// Several layers without bias over the same input, whose outputs lie side by side. Where the
// weights have to be copied anyway they become one product; where they are used as they lie in the
// file they stay apart, so that a model which is mapped costs no memory of its own.
class ParallelLinear {
 public:
  ParallelLinear() = default;
  // `names`.weight, all [out, in]. Throws as load_weight().
  ParallelLinear(const tensor::Checkpoint& checkpoint, const std::vector<std::string>& names,
                 const LinearShape& shape_of_each, const Placement& placement);

  // x [rows, in] -> [rows, number of layers * out]
  at::Tensor operator()(const at::Tensor& x) const;
  // Of the layers from `first` on, `count` of them.
  at::Tensor apply(const at::Tensor& x, std::size_t first, std::size_t count) const;
  // How many products one application takes.
  std::size_t num_products() const { return weights_.size(); }

 private:
  std::int64_t out_ = 0;
  std::size_t num_layers_ = 0;
  std::vector<at::Tensor> weights_;  // one of all layers, or one each
};

}  // namespace contra4::nn
