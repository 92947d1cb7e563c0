#include "contra4/nn/gated_block.h"

#include <ATen/ops/silu.h>

namespace contra4::nn {

GatedFeedForward::GatedFeedForward(const tensor::Checkpoint& checkpoint, const Names& names,
                                   const LinearShape& inner, const Placement& placement)
    : inner_width_(inner.out),
      gate_up_(checkpoint, {names.gate, names.up}, inner, placement),
      down_(load_linear(checkpoint, names.down,
                        {.in = inner.out, .out = inner.in, .has_bias = false}, placement)) {}

at::Tensor GatedFeedForward::operator()(const at::Tensor& x) const {
  const at::Tensor both = gate_up_(x);
  at::Tensor gate = both.narrow(1, 0, inner_width_);
  at::silu_(gate).mul_(both.narrow(1, inner_width_, inner_width_));
  return down_(gate);
}

GatedBlockNames meta_block_names(const std::string& prefix) {
  return {.query = prefix + ".attention.wq",
          .key = prefix + ".attention.wk",
          .value = prefix + ".attention.wv",
          .attention_output = prefix + ".attention.wo",
          .attention_norm = prefix + ".attention_norm",
          .feed_forward_norm = prefix + ".ffn_norm",
          .feed_forward = {.gate = prefix + ".feed_forward.w1",
                           .up = prefix + ".feed_forward.w3",
                           .down = prefix + ".feed_forward.w2"}};
}

GatedBlock::GatedBlock(const tensor::Checkpoint& checkpoint, const GatedBlockNames& names,
                       const GatedBlockShape& shape, const Placement& placement) {
  const LinearShape square{.in = shape.width, .out = shape.width, .has_bias = false};
  const RmsNormShape norm{.width = shape.width, .eps = shape.norm_eps};
  attention_norm_ = load_rms_norm(checkpoint, names.attention_norm, norm, placement);
  query_key_value_ =
      ParallelLinear(checkpoint, {names.query, names.key, names.value}, square, placement);
  attention_output_ = load_linear(checkpoint, names.attention_output, square, placement);
  feed_forward_norm_ = load_rms_norm(checkpoint, names.feed_forward_norm, norm, placement);
  feed_forward_ = GatedFeedForward(
      checkpoint, names.feed_forward,
      {.in = shape.width, .out = shape.feed_forward_width, .has_bias = false}, placement);
}

at::Tensor GatedBlock::queries_keys_values(const at::Tensor& x) const {
  return query_key_value_(attention_norm_(x));
}

at::Tensor GatedBlock::queries(const at::Tensor& x) const {
  return query_key_value_.apply(attention_norm_(x), 0, 1);
}

at::Tensor GatedBlock::keys_values(const at::Tensor& x) const {
  return query_key_value_.apply(attention_norm_(x), 1, 2);
}

void GatedBlock::finish(at::Tensor& x, const at::Tensor& attended) const {
  x.add_(attention_output_(attended));
  x.add_(feed_forward_(feed_forward_norm_(x)));
}

}  // namespace contra4::nn
