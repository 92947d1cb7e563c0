#include "contra4/nn/encoder_block.h"

#include "contra4/nn/attention.h"

namespace contra4::nn {

EncoderBlock::EncoderBlock(const tensor::Checkpoint& checkpoint, const std::string& prefix,
                           const EncoderBlockShape& shape)
    : shape_(shape) {
  const LinearShape square{.in = shape.width, .out = shape.width};
  const LayerNormShape norm{.width = shape.width, .eps = shape.layer_norm_eps};
  const auto self = [&](const char* name) {
    return load_linear(checkpoint, prefix + ".attention.self." + name, square);
  };
  query_key_value_ = concatenate_outputs({self("query"), self("key"), self("value")});
  attention_output_ = load_linear(checkpoint, prefix + ".attention.output.dense", square);
  attention_norm_ = load_layer_norm(checkpoint, prefix + ".attention.output.LayerNorm", norm);
  feed_forward_in_ = load_linear(checkpoint, prefix + ".intermediate.dense",
                                 {.in = shape.width, .out = shape.feed_forward_width});
  feed_forward_out_ = load_linear(checkpoint, prefix + ".output.dense",
                                  {.in = shape.feed_forward_width, .out = shape.width});
  feed_forward_norm_ = load_layer_norm(checkpoint, prefix + ".output.LayerNorm", norm);
}

at::Tensor EncoderBlock::forward(const at::Tensor& x, const SequenceGroups& groups) const {
  const at::Tensor mixed =
      self_attention(query_key_value_(x), groups, {.num_heads = shape_.num_heads});
  const at::Tensor attended = attention_norm_(attention_output_(mixed).add_(x));
  at::Tensor hidden = feed_forward_in_(attended);
  activate(shape_.activation, hidden);
  return feed_forward_norm_(feed_forward_out_(hidden).add_(attended));
}

}  // namespace contra4::nn
