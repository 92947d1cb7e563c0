#include "contra4/nn/rms_norm.h"

#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/rms_norm.h>
#include <torch/csrc/autograd/custom_function.h>

#include "contra4/nn/recording.h"

namespace contra4::nn {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Keeps its input and one number a row; libtorch's own keeps several matrices on a CPU.
class RecordedRmsNorm : public torch::autograd::Function<RecordedRmsNorm> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            double eps) {
    const at::Tensor scales = row_scales(x, eps);
    context->save_for_backward({x, weight, scales});
    return normalised(x, scales, weight);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const RmsNormGradients found =
        rms_norm_gradients(gradients[0], saved[0], saved[2], saved[1], context->needs_input_grad(0),
                           context->needs_input_grad(1));
    return {found.input, found.weight, {}};
  }
};

}  // namespace

// The norm of a row needs no matrix of squares.
at::Tensor row_scales(const at::Tensor& x, double eps) {
  return at::linalg_vector_norm(x, 2, {-1}, /*keepdim=*/true, at_least_float32(x.scalar_type()))
      .square_()
      .div_(static_cast<double>(x.size(-1)))
      .add_(eps)
      .rsqrt_();
}

at::Tensor normalised(const at::Tensor& x, const at::Tensor& scales, const at::Tensor& weight) {
  return x.mul(scales).to(x.scalar_type()).mul_(weight);
}

// With n = x s and d = g w: dx = s (d - n mean(d n)), dw = sum of g n over the rows.
RmsNormGradients rms_norm_gradients(const at::Tensor& gradient, const at::Tensor& x,
                                    const at::Tensor& scales, const at::Tensor& weight,
                                    bool wants_input, bool wants_weight) {
  const at::Tensor exact = gradient.to(scales.scalar_type());
  const at::Tensor rows = x.mul(scales);
  RmsNormGradients found;
  if (wants_weight) {
    found.weight = exact.mul(rows)
                       .reshape({-1, weight.size(0)})
                       .sum(at::IntArrayRef{0})
                       .to(weight.scalar_type());
  }
  if (wants_input) {
    at::Tensor wanted = exact.mul(weight);
    const at::Tensor along = wanted.mul(rows).mean(-1, /*keepdim=*/true);
    found.input = wanted.addcmul_(rows, along, -1).mul_(scales).to(x.scalar_type());
  }
  return found;
}

at::Tensor RmsNorm::operator()(const at::Tensor& x) const {
  if (!x.is_cpu()) return at::rms_norm(x, weight.sizes(), weight, eps);  // one kernel there
  if (is_recording(x, weight)) return RecordedRmsNorm::apply(x, weight, eps);
  return normalised(x, row_scales(x, eps), weight);
}

RmsNorm load_rms_norm(const tensor::Checkpoint& checkpoint, const std::string& name,
                      const RmsNormShape& shape, const Placement& placement) {
  return {.weight = load_weight(checkpoint, name + ".weight", {shape.width}, placement),
          .eps = shape.eps};
}

}  // namespace contra4::nn
