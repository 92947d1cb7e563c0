// One layer of LLaMA and its like: attention and a gated feed-forward part, each over the
// normalised input and added to it ("pre-norm"). Attention itself is the caller's: with or without
// cache, rotation and mask.
#pragma once

#include <cstdint>
#include <string>

#include <ATen/core/Tensor.h>

#include "contra4/nn/linear.h"
#include "contra4/nn/placement.h"
#include "contra4/nn/rms_norm.h"
#include "contra4/tensor/checkpoint.h"

namespace contra4::nn {

// W2 (silu(W1 n) * W3 n) of n, the normalised rows. Where weights are trained only the rows as they
// came, W1 n and W3 n are kept for the gradients.
class GatedFeedForward {
 public:
  GatedFeedForward() = default;
  struct Names {
    std::string gate;  // W1
    std::string up;    // W3
    std::string down;  // W2
  };
  // in: of the input; out: of the inner layer.
  GatedFeedForward(const tensor::Checkpoint& checkpoint, const Names& names,
                   const LinearShape& inner, const Placement& placement);

  // x [rows, in] -> the same shape
  at::Tensor operator()(const RmsNorm& norm, const at::Tensor& x) const;

 private:
  std::int64_t inner_width_ = 0;
  ParallelLinear gate_up_;
  Linear down_;
};

struct GatedBlockShape {
  std::int64_t width = 0;
  std::int64_t feed_forward_width = 0;
  double norm_eps = 1e-5;
};

// Names of a block's parts without ".weight".
struct GatedBlockNames {
  std::string query, key, value, attention_output;
  std::string attention_norm, feed_forward_norm;
  GatedFeedForward::Names feed_forward;
};

// Names below `prefix` in the weights Meta published: attention.wq, feed_forward.w1 and so on.
GatedBlockNames meta_block_names(const std::string& prefix);

class GatedBlock {
 public:
  GatedBlock(const tensor::Checkpoint& checkpoint, const GatedBlockNames& names,
             const GatedBlockShape& shape, const Placement& placement);

  // x [rows, width] -> [rows, 3 * width]: queries, keys and values side by side.
  at::Tensor queries_keys_values(const at::Tensor& x) const;
  // The two by themselves, for a layer of which few rows are wanted: [rows, width] and
  // [rows, 2 * width].
  at::Tensor queries(const at::Tensor& x) const;
  at::Tensor keys_values(const at::Tensor& x) const;
  // What comes after the attention: x [rows, width] -> the same shape
  at::Tensor finish(const at::Tensor& x, const at::Tensor& attended) const;

 private:
  RmsNorm attention_norm_;
  ParallelLinear query_key_value_;
  Linear attention_output_;
  RmsNorm feed_forward_norm_;
  GatedFeedForward feed_forward_;
};

}  // namespace contra4::nn
