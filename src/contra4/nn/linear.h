// y = x W^T + b.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/nn/placement.h"
#include "contra4/nn/product.h"
#include "contra4/nn/rms_norm.h"
#include "contra4/tensor/checkpoint.h"

namespace contra4::nn {

// What fine-tuning adds to a product without changing its weight: scale * (x A^T) B^T.
// Source: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2021.
struct LowRankUpdate {
  at::Tensor a;  // [rank, in], or undefined: none
  at::Tensor b;  // [out, rank]
  double scale = 1;

  bool is_defined() const { return a.defined(); }
  // x [..., in] -> [..., out], without the scale
  at::Tensor operator()(const at::Tensor& x) const;
};

struct Linear {
  at::Tensor weight;  // [out, in]
  at::Tensor bias;    // [out], or undefined
  LowRankUpdate update = {};

  // x [..., in] -> [..., out]. A factor of the product is one of the update too.
  at::Tensor operator()(const at::Tensor& x, const ProductFactors& factors = {}) const;
};

struct LinearShape {
  std::int64_t in = 0;
  std::int64_t out = 0;
  bool has_bias = true;
};

// `name`.weight and `name`.bias, and `name`.lora_a and `name`.lora_b where they are there, whose
// scale is the one element of "lora_scale", 1 without it. Throws as load_weight().
Linear load_linear(const tensor::Checkpoint& checkpoint, const std::string& name,
                   const LinearShape& shape, const Placement& placement = {});

// One layer that gives the outputs of several side by side: one large product instead of small
// ones. All have the same input and all or none a bias.
Linear concatenate_outputs(const std::vector<Linear>& layers);

// The name of the scale of all low-rank updates of a checkpoint: one number.
inline constexpr std::string_view kLoraScale = "lora_scale";

// Several layers without bias over the same input, whose outputs lie side by side. Where the
// weights have to be copied anyway they become one product; where they are used as they lie in the
// file or in memory they stay apart: a model which is mapped costs no memory of its own, and
// weights that are trained stay what they are.
class ParallelLinear {
 public:
  ParallelLinear() = default;
  // `names`.weight, all [out, in], with updates as load_linear(). Throws as load_weight().
  ParallelLinear(const tensor::Checkpoint& checkpoint, const std::vector<std::string>& names,
                 const LinearShape& shape_of_each, const Placement& placement);

  // x [rows, in] -> [rows, number of layers * out]
  at::Tensor operator()(const at::Tensor& x) const;
  // Of the layers from `first` on, `count` of them.
  at::Tensor apply(const at::Tensor& x, std::size_t first, std::size_t count) const;
  // Of normalised rows. Where weights are trained, x is kept for their gradients and not what the
  // norm gives, which costs less to compute anew than to keep.
  at::Tensor apply(const RmsNorm& norm, const at::Tensor& x, std::size_t first,
                   std::size_t count) const;
  // That of one layer, [out, in].
  at::Tensor weight(std::size_t layer) const;
  bool has_updates() const;
  // How many products one application takes.
  std::size_t num_products() const { return weights_.size(); }

 private:
  at::Tensor multiply(const at::Tensor& x, std::size_t first, std::size_t count) const;
  void add_updates(at::Tensor& out, const at::Tensor& x, std::size_t first) const;

  std::int64_t out_ = 0;
  std::size_t num_layers_ = 0;
  std::vector<at::Tensor> weights_;     // one of all layers, or one each
  std::vector<LowRankUpdate> updates_;  // one a layer
};

}  // namespace contra4::nn
