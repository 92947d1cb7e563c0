#include "contra4/nn/vit_block.h"

#include "contra4/nn/attention.h"

namespace contra4::nn {

// Sums go into what the products gave: no other memory, and nothing that autograd keeps.
at::Tensor VitBlock::forward(const at::Tensor& x, const SequenceGroups& groups) const {
  const at::Tensor mixed =
      self_attention(query_key_value(attention_norm(x)), groups, {.num_heads = num_heads});
  const at::Tensor attended = attention_output(mixed).add_(x);
  const auto [inner, factor] = factored(activation);
  at::Tensor hidden =
      feed_forward_in(feed_forward_norm(attended), {.product = factor, .bias = factor});
  activate(inner, hidden);
  return feed_forward_out(hidden, {.product = 1 / factor}).add_(attended);
}

}  // namespace contra4::nn
