// Attention by several heads.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "contra4/nn/sequences.h"

namespace contra4::nn {

// [batch, length, heads * width] -> [batch, heads, length, width], a view. heads divides the last
// dimension.
at::Tensor split_heads(const at::Tensor& x, std::int64_t num_heads);
// The inverse: [batch, heads, length, width] -> [batch, length, heads * width].
at::Tensor merge_heads(const at::Tensor& x);

struct SelfAttentionOptions {
  std::int64_t num_heads = 1;
  bool is_causal = false;  // a row sees those of its sequence up to itself
};

// Every sequence attends to itself: softmax(q k^T / sqrt(width of a head)) v.
//   qkv      [num_rows(groups), 3 * width] queries, keys and values side by side
//   returns  [num_rows(groups), width]
at::Tensor self_attention(const at::Tensor& qkv, const SequenceGroups& groups,
                          const SelfAttentionOptions& options);

// Every sequence of queries attends to the rows of its own.
//   queries      [batch, num_queries, width]
//   keys_values  [batch, length, 2 * width] side by side
//   returns      [batch, num_queries, width]
at::Tensor cross_attention(const at::Tensor& queries, const at::Tensor& keys_values,
                           std::int64_t num_heads);

}  // namespace contra4::nn
