#include "contra4/nn/linear.h"

#include <algorithm>
#include <functional>
#include <span>
#include <utility>

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/custom_function.h>

#include "contra4/base/error.h"
#include "contra4/nn/recording.h"

namespace contra4::nn {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Products of one matrix with several weights, side by side in one: no copy puts them together, and
// their gradients are read where they lie.
void multiply_into(at::Tensor& out, const at::Tensor& x, at::TensorList weights) {
  std::int64_t column = 0;
  for (const at::Tensor& weight : weights) {
    at::Tensor columns = out.narrow(1, column, weight.size(0));
    column += weight.size(0);
    if (multiplies_apart(x, weight)) {
      columns.copy_(product(x, weight));
    } else {
      at::mm_out(columns, x, weight.t());
    }
  }
}

at::Tensor products_of(const at::Tensor& x, at::TensorList weights) {
  std::int64_t width = 0;
  for (const at::Tensor& weight : weights) width += weight.size(0);
  at::Tensor out = at::empty({x.size(0), width}, x.options());
  multiply_into(out, x, weights);
  return out;
}

// Gradients of products side by side: into `of_weights` of those that are wanted; returned: of x,
// if it is wanted.
at::Tensor gradients_of_products(const at::Tensor& gradient, const at::Tensor& x,
                                 std::span<const at::Tensor> weights,
                                 const std::function<bool(std::size_t)>& wants_weight, bool wants_x,
                                 std::span<at::Tensor> of_weights) {
  at::Tensor of_x;
  std::int64_t column = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const at::Tensor part = gradient.narrow(1, column, weights[i].size(0));
    column += weights[i].size(0);
    if (wants_weight(i)) of_weights[i] = matrix_product(part.t(), x);
    if (!wants_x) continue;
    if (!of_x.defined() || multiplies_apart(part, weights[i].t())) {
      const at::Tensor through = matrix_product(part, weights[i]);
      of_x = of_x.defined() ? of_x.add_(through) : through;
    } else {
      of_x.addmm_(part, weights[i]);
    }
  }
  return of_x;
}

bool trains_any(at::TensorList weights) {
  return std::any_of(weights.begin(), weights.end(),
                     [](const at::Tensor& weight) { return weight.requires_grad(); });
}

class RecordedProducts : public torch::autograd::Function<RecordedProducts> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, at::TensorList weights) {
    variable_list kept = {trains_any(weights) ? x : at::Tensor()};
    kept.insert(kept.end(), weights.begin(), weights.end());
    context->save_for_backward(std::move(kept));
    return products_of(x, weights);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const auto weights = std::span(saved).subspan(1);
    variable_list found(1 + weights.size());
    const auto wants_weight = [&](std::size_t i) { return context->needs_input_grad(1 + i); };
    found[0] = gradients_of_products(gradients[0], saved[0], weights, wants_weight,
                                     context->needs_input_grad(0), std::span(found).subspan(1));
    return found;
  }
};

// The same of normalised rows. Keeps the rows as they came.
class RecordedNormedProducts : public torch::autograd::Function<RecordedNormedProducts> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& norm_weight, double eps, at::TensorList weights) {
    variable_list kept = {x, norm_weight};
    kept.insert(kept.end(), weights.begin(), weights.end());
    context->save_for_backward(std::move(kept));
    context->saved_data["eps"] = eps;
    return products_of(RmsNorm{.weight = norm_weight, .eps = eps}(x), weights);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& norm_weight = saved[1];
    const auto weights = std::span(saved).subspan(2);
    const at::Tensor scales = row_scales(x, context->saved_data["eps"].toDouble());
    const bool wants_x = context->needs_input_grad(0);
    const bool wants_norm = context->needs_input_grad(1);
    variable_list found(3 + weights.size());  // one of them for eps
    const auto wants_weight = [&](std::size_t i) { return context->needs_input_grad(2 + i); };
    const at::Tensor of_rows =
        gradients_of_products(gradients[0], normalised(x, scales, norm_weight), weights,
                              wants_weight, wants_x || wants_norm, std::span(found).subspan(3));
    if (!of_rows.defined()) return found;
    RmsNormGradients of_norm =
        rms_norm_gradients(of_rows, x, scales, norm_weight, wants_x, wants_norm);
    found[0] = std::move(of_norm.input);
    found[1] = std::move(of_norm.weight);
    return found;
  }
};

double scale_of(const tensor::Checkpoint& checkpoint) {
  const auto scale = checkpoint.find(kLoraScale);
  if (!scale) return 1;
  if (scale->numel() != 1) {
    throw Exception(ErrorCode::kDataLoss,
                    fmt::format("{}: '{}' has {} elements, wanted one number",
                                checkpoint.description(), kLoraScale, scale->numel()));
  }
  return scale->item().toDouble();
}

LowRankUpdate load_update(const tensor::Checkpoint& checkpoint, const std::string& name,
                          const LinearShape& shape, const Placement& placement) {
  const std::string a = name + ".lora_a";
  const std::string b = name + ".lora_b";
  const io::TensorEntry* entry = checkpoint.find_entry(a);
  if (entry == nullptr && checkpoint.find_entry(b) == nullptr) return {};
  const std::int64_t rank = entry != nullptr && !entry->shape.empty() ? entry->shape[0] : 0;
  return {.a = load_weight(checkpoint, a, {rank, shape.in}, placement),
          .b = load_weight(checkpoint, b, {shape.out, rank}, placement),
          .scale = scale_of(checkpoint)};
}

}  // namespace

at::Tensor LowRankUpdate::operator()(const at::Tensor& x) const {
  return product(product(x, a), b);
}

at::Tensor Linear::operator()(const at::Tensor& x, const ProductFactors& factors) const {
  at::Tensor out = product(x, weight, bias, factors);
  if (update.is_defined()) out.add_(update(x), update.scale * factors.product);
  return out;
}

Linear load_linear(const tensor::Checkpoint& checkpoint, const std::string& name,
                   const LinearShape& shape, const Placement& placement) {
  Linear linear;
  linear.weight = load_weight(checkpoint, name + ".weight", {shape.out, shape.in}, placement);
  if (shape.has_bias) {
    linear.bias = load_weight(checkpoint, name + ".bias", {shape.out}, placement);
  }
  linear.update = load_update(checkpoint, name, shape, placement);
  return linear;
}

Linear concatenate_outputs(const std::vector<Linear>& layers) {
  CONTRA4_CHECK(!layers.empty(), "no layer to concatenate");
  std::vector<at::Tensor> weights;
  std::vector<at::Tensor> biases;
  for (const Linear& layer : layers) {
    weights.push_back(layer.weight);
    if (layer.bias.defined()) biases.push_back(layer.bias);
  }
  CONTRA4_CHECK(biases.empty() || biases.size() == layers.size(), "a bias in some layers only");
  Linear joined;
  joined.weight = at::cat(weights, 0);
  if (!biases.empty()) joined.bias = at::cat(biases, 0);
  return joined;
}

ParallelLinear::ParallelLinear(const tensor::Checkpoint& checkpoint,
                               const std::vector<std::string>& names,
                               const LinearShape& shape_of_each, const Placement& placement)
    : out_(shape_of_each.out), num_layers_(names.size()) {
  CONTRA4_CHECK(!names.empty(), "no layer");
  const std::vector<std::int64_t> shape = {shape_of_each.out, shape_of_each.in};
  for (const std::string& name : names) {
    updates_.push_back(load_update(checkpoint, name, shape_of_each, placement));
  }
  const at::Tensor stored = checkpoint.get(names[0] + ".weight", shape);
  const at::ScalarType stored_type = stored.scalar_type();
  if (stored.device() == placement.device && stored_type == placement.dtype) {
    for (const std::string& name : names) {
      weights_.push_back(load_weight(checkpoint, name + ".weight", shape, placement));
    }
    return;
  }
  at::Tensor all = at::empty({std::ssize(names) * out_, shape_of_each.in}, placement.options());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string name = names[i] + ".weight";
    all.narrow(0, static_cast<std::int64_t>(i) * out_, out_)
        .copy_(load_weight(checkpoint, name, shape,
                           {.device = stored.device(), .dtype = stored_type}));
    checkpoint.release(name);
  }
  weights_.push_back(std::move(all));
}

at::Tensor ParallelLinear::operator()(const at::Tensor& x) const {
  return apply(x, 0, num_layers_);
}

at::Tensor ParallelLinear::apply(const at::Tensor& x, std::size_t first, std::size_t count) const {
  CONTRA4_CHECK(x.dim() == 2 && first + count <= num_layers_, "rows, and layers that are there");
  at::Tensor out = multiply(x, first, count);
  add_updates(out, x, first);
  return out;
}

at::Tensor ParallelLinear::apply(const RmsNorm& norm, const at::Tensor& x, std::size_t first,
                                 std::size_t count) const {
  CONTRA4_CHECK(x.dim() == 2 && first + count <= num_layers_, "rows, and layers that are there");
  if (weights_.size() == num_layers_ && !has_updates() && c10::GradMode::is_enabled()) {
    const at::TensorList weights = at::TensorList(weights_).slice(first, count);
    if (trains_any(weights)) {
      return RecordedNormedProducts::apply(x, norm.weight, norm.eps, weights);
    }
  }
  return apply(norm(x), first, count);
}

at::Tensor ParallelLinear::weight(std::size_t layer) const {
  CONTRA4_CHECK(layer < num_layers_, "a layer that is there");
  if (weights_.size() > 1 || num_layers_ == 1) return weights_[layer];
  return weights_[0].narrow(0, static_cast<std::int64_t>(layer) * out_, out_);
}

bool ParallelLinear::has_updates() const {
  return std::any_of(updates_.begin(), updates_.end(),
                     [](const LowRankUpdate& update) { return update.is_defined(); });
}

at::Tensor ParallelLinear::multiply(const at::Tensor& x, std::size_t first,
                                    std::size_t count) const {
  if (weights_.size() == 1) {
    const at::Tensor rows = weights_[0].narrow(0, static_cast<std::int64_t>(first) * out_,
                                               static_cast<std::int64_t>(count) * out_);
    return product(x, rows);
  }
  const at::TensorList weights = at::TensorList(weights_).slice(first, count);
  const bool is_recorded =
      std::any_of(weights.begin(), weights.end(),
                  [&](const at::Tensor& weight) { return is_recording(x, weight); });
  return is_recorded ? RecordedProducts::apply(x, weights) : products_of(x, weights);
}

void ParallelLinear::add_updates(at::Tensor& out, const at::Tensor& x, std::size_t first) const {
  std::vector<at::Tensor> columns;
  const auto count = static_cast<std::size_t>(out.size(1) / out_);
  const std::span updates = std::span(updates_).subspan(first, count);
  if (std::none_of(updates.begin(), updates.end(), [](const auto& u) { return u.is_defined(); })) {
    return;
  }
  for (const LowRankUpdate& update : updates) {
    columns.push_back(update.is_defined() ? update(x).mul_(update.scale)
                                          : at::zeros({x.size(0), out_}, x.options()));
  }
  out.add_(columns.size() == 1 ? columns[0] : at::cat(columns, 1));
}

}  // namespace contra4::nn
