#include "contra4/nn/gated_block.h"

#include <vector>

#include <ATen/ops/empty_like.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/silu_backward.h>
#include <torch/csrc/autograd/custom_function.h>

#include "contra4/nn/onednn_product.h"
#include "contra4/nn/product.h"
#include "contra4/nn/recording.h"

namespace contra4::nn {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// All of [rows, 2 * inner]: gate and what it is for, side by side.
at::Tensor gated(const at::Tensor& both) {
  const std::vector<at::Tensor> parts = both.chunk(2, 1);
  return at::silu(parts[0]).mul_(parts[1]);
}

// `gradient`: of gated(), [rows, inner]. In one piece.
at::Tensor gradient_of_gated(const at::Tensor& gradient, const at::Tensor& both) {
  const std::vector<at::Tensor> parts = both.chunk(2, 1);
  at::Tensor found = at::empty_like(both);
  const std::vector<at::Tensor> wanted = found.chunk(2, 1);
  at::Tensor gate = wanted[0];
  at::Tensor up = wanted[1];
  at::silu_out(up, parts[0]);
  up.mul_(gradient);
  at::silu_backward_out(gate, gradient.mul(parts[1]), parts[0]);
  return found;
}

// Keeps its input alone.
class RecordedGate : public torch::autograd::Function<RecordedGate> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& both) {
    context->save_for_backward({both});
    return gated(both);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    return {gradient_of_gated(gradients[0], context->get_saved_variables()[0])};
  }
};

// The product of what is gated with a weight [out, inner] that is trained: what is gated is
// computed anew rather than kept.
class RecordedGatedProduct : public torch::autograd::Function<RecordedGatedProduct> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& both,
                            const at::Tensor& weight) {
    context->save_for_backward({both, weight});
    return product(gated(both), weight);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& both = saved[0];
    variable_list found(2);
    if (context->needs_input_grad(0)) {
      found[0] = gradient_of_gated(matrix_product(gradients[0], saved[1]), both);
    }
    if (context->needs_input_grad(1)) {
      found[1] = matrix_product(gradients[0].t(), gated(both));
    }
    return found;
  }
};

}  // namespace

GatedFeedForward::GatedFeedForward(const tensor::Checkpoint& checkpoint, const Names& names,
                                   const LinearShape& inner, const Placement& placement)
    : inner_width_(inner.out),
      gate_up_(checkpoint, {names.gate, names.up}, inner, placement),
      down_(load_linear(checkpoint, names.down,
                        {.in = inner.out, .out = inner.in, .has_bias = false}, placement)) {}

at::Tensor GatedFeedForward::operator()(const RmsNorm& norm, const at::Tensor& x) const {
  const at::Tensor gate_weight = gate_up_.weight(0);
  const at::Tensor up_weight = gate_up_.weight(1);
  if (!gate_up_.has_updates() && prefers_gated_product(x, gate_weight, up_weight)) {
    return down_(gated_product(norm(x), gate_weight, up_weight));
  }
  const at::Tensor both = gate_up_.apply(norm, x, 0, 2);
  if (is_recording(both)) {
    return down_.weight.requires_grad() && !down_.update.is_defined()
               ? RecordedGatedProduct::apply(both, down_.weight)
               : down_(RecordedGate::apply(both));
  }
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
  return query_key_value_.apply(attention_norm_, x, 0, 3);
}

at::Tensor GatedBlock::queries(const at::Tensor& x) const {
  return query_key_value_.apply(attention_norm_, x, 0, 1);
}

at::Tensor GatedBlock::keys_values(const at::Tensor& x) const {
  return query_key_value_.apply(attention_norm_, x, 1, 2);
}

// Sums go into what the products gave: no other memory, and nothing that autograd keeps.
at::Tensor GatedBlock::finish(const at::Tensor& x, const at::Tensor& attended) const {
  const at::Tensor sum = attention_output_(attended).add_(x);
  return feed_forward_(feed_forward_norm_, sum).add_(sum);
}

}  // namespace contra4::nn
