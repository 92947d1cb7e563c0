// Attention as two products and a softmax between them, a few heads at a time.
#pragma once

#include <ATen/core/Tensor.h>

namespace contra4::nn {

// Whether blocked_attention() is the quicker way: bfloat16 on a processor by AMD with instructions
// for it, where libtorch's own attention is half as fast as its products. Not in a training.
bool prefers_blocked_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);

// softmax(q k^T / sqrt(width of a head)) v, scores rounded to the operands' type. The scores of a
// block stay in a core's cache.
//   q  [batch, heads, queries, width]   k, v  [batch, heads, keys, width]   returns as q, as it
//   lies
//              in [batch, queries, heads, width]
//   is_causal  the i-th query sees the first i + 1 keys
at::Tensor blocked_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                             bool is_causal);

}  // namespace contra4::nn
