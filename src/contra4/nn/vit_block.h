// One layer of a vision transformer: self-attention and feed-forward, each over the normalised
// input and added to it ("pre-norm").
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "contra4/nn/activation.h"
#include "contra4/nn/layer_norm.h"
#include "contra4/nn/linear.h"
#include "contra4/nn/sequences.h"

namespace contra4::nn {

// The parts, under whatever names their checkpoint has them.
struct VitBlock {
  std::int64_t num_heads = 1;  // divides the width
  Activation activation = Activation::kGelu;
  LayerNorm attention_norm;
  Linear query_key_value;  // width -> 3 * width
  Linear attention_output;
  LayerNorm feed_forward_norm;
  Linear feed_forward_in;
  Linear feed_forward_out;

  // x [num_rows(groups), width] -> the same shape
  at::Tensor forward(const at::Tensor& x, const SequenceGroups& groups) const;
};

}  // namespace contra4::nn
