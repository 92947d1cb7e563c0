// One layer of a BERT encoder: self-attention and feed-forward, each followed by the sum with its
// input and a normalisation ("post-norm").
#pragma once

#include <cstdint>
#include <string>

#include <ATen/core/Tensor.h>

#include "contra4/nn/activation.h"
#include "contra4/nn/layer_norm.h"
#include "contra4/nn/linear.h"
#include "contra4/nn/sequences.h"
#include "contra4/tensor/checkpoint.h"

namespace contra4::nn {

struct EncoderBlockShape {
  std::int64_t width = 0;
  std::int64_t num_heads = 0;  // divides width
  std::int64_t feed_forward_width = 0;
  double layer_norm_eps = 1e-12;
  Activation activation = Activation::kGelu;
};

class EncoderBlock {
 public:
  // Names as in BERT below `prefix`: attention.self.query.weight and so on. Throws as
  // Checkpoint::get_float32.
  EncoderBlock(const tensor::Checkpoint& checkpoint, const std::string& prefix,
               const EncoderBlockShape& shape);

  // x [num_rows(groups), width] -> the same shape
  at::Tensor forward(const at::Tensor& x, const SequenceGroups& groups) const;

 private:
  EncoderBlockShape shape_;
  Linear query_key_value_;  // one product for the three
  Linear attention_output_;
  LayerNorm attention_norm_;
  Linear feed_forward_in_;
  Linear feed_forward_out_;
  LayerNorm feed_forward_norm_;
};

}  // namespace contra4::nn
