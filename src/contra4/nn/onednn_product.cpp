#include "contra4/nn/onednn_product.h"

#include <cstdint>
#include <optional>
#include <string_view>

#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/custom_function.h>

#include "contra4/nn/processor.h"
#include "contra4/nn/product.h"
#include "contra4/nn/recording.h"

namespace contra4::nn {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Smaller ones are over before oneDNN has looked up its kernel.
constexpr std::int64_t kSmallest = 1 << 22;

// oneDNN's doors in libtorch: what torch.compile calls. Not there in a libtorch without oneDNN.
using LinearPointwise = at::Tensor(const at::Tensor& x, const at::Tensor& weight,
                                   const std::optional<at::Tensor>& bias, std::string_view function,
                                   c10::List<std::optional<at::Scalar>> scalars,
                                   std::optional<std::string_view> algorithm);
using LinearBinary = at::Tensor(const at::Tensor& x, const at::Tensor& other,
                                const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                                std::string_view function);

template <class Signature>
std::optional<c10::TypedOperatorHandle<Signature>> find_door(const char* overload) {
  const auto found =
      c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", overload});
  return found ? std::optional(found->typed<Signature>()) : std::nullopt;
}

const auto& linear_pointwise() {
  static const auto door = find_door<LinearPointwise>("");
  return door;
}

const auto& linear_binary() {
  static const auto door = find_door<LinearBinary>("binary");
  return door;
}

at::Tensor multiply(const at::Tensor& x, const at::Tensor& weight,
                    const std::optional<at::Tensor>& bias, std::string_view function = "none") {
  return linear_pointwise()->call(x, weight, bias, function, c10::List<std::optional<at::Scalar>>(),
                                  "");
}

// Whether oneDNN is there for such operands, and they are worth its while.
bool takes(at::ScalarType type, const at::Tensor& x, const at::Tensor& weight) {
  return x.is_cpu() && x.scalar_type() == type && weight.scalar_type() == type &&
         x.numel() * weight.size(0) >= kSmallest && linear_pointwise().has_value();
}

// The doors have no gradients of their own.
class RecordedProduct : public torch::autograd::Function<RecordedProduct> {
 public:
  // x [rows, in]
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias) {
    context->save_for_backward({weight.requires_grad() ? x : at::Tensor(), weight});
    context->saved_data["has_bias"] = bias.has_value();
    return multiply(x, weight, bias);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& gradient = gradients[0];
    variable_list found(3);
    if (context->needs_input_grad(0)) found[0] = matrix_product(gradient, saved[1]);
    if (context->needs_input_grad(1)) found[1] = matrix_product(gradient.t(), saved[0]);
    const bool has_bias = context->saved_data["has_bias"].toBool();
    if (has_bias && context->needs_input_grad(2)) found[2] = gradient.sum(at::IntArrayRef{0});
    return found;
  }
};

}  // namespace

bool prefers_onednn(const at::Tensor& x, const at::Tensor& weight) {
  return is_processor_by_amd() && takes(at::kFloat, x, weight);
}

at::Tensor onednn_product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const std::optional<at::Tensor> added = bias.defined() ? std::optional(bias) : std::nullopt;
  if (!is_recording(x, weight, bias)) return multiply(x, weight, added);
  const at::Tensor rows = RecordedProduct::apply(x.flatten(0, -2), weight, added);
  return x.dim() == 2
             ? rows
             : rows.unflatten(0, x.sizes().slice(0, static_cast<std::size_t>(x.dim() - 1)));
}

bool prefers_gated_product(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& up) {
  if (is_trained(x, gate, up) || !linear_binary().has_value()) return false;
  return prefers_onednn(x, gate) || (has_bfloat16_instructions() && takes(at::kBFloat16, x, gate));
}

at::Tensor gated_product(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& up) {
  return linear_binary()->call(x, multiply(x, gate, {}, "swish"), up, {}, "mul");
}

}  // namespace contra4::nn
