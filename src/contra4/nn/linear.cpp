#include "contra4/nn/linear.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>

#include "contra4/base/error.h"
#include "contra4/nn/product.h"

namespace contra4::nn {

at::Tensor Linear::operator()(const at::Tensor& x) const {
  return product(x, weight, bias);
}

Linear load_linear(const tensor::Checkpoint& checkpoint, const std::string& name,
                   const LinearShape& shape, const Placement& placement) {
  Linear linear;
  linear.weight = load_weight(checkpoint, name + ".weight", {shape.out, shape.in}, placement);
  if (shape.has_bias) {
    linear.bias = load_weight(checkpoint, name + ".bias", {shape.out}, placement);
  }
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
  const auto stored_type = checkpoint.get(names[0] + ".weight", shape).scalar_type();
  if (placement.device.is_cpu() && stored_type == placement.dtype) {
    for (const std::string& name : names) {
      weights_.push_back(load_weight(checkpoint, name + ".weight", shape, placement));
    }
    return;
  }
  at::Tensor all = at::empty({std::ssize(names) * out_, shape_of_each.in}, placement.options());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string name = names[i] + ".weight";
    all.narrow(0, static_cast<std::int64_t>(i) * out_, out_)
        .copy_(load_weight(checkpoint, name, shape, {.device = at::kCPU, .dtype = stored_type}));
    checkpoint.release(name);
  }
  weights_.push_back(std::move(all));
}

at::Tensor ParallelLinear::operator()(const at::Tensor& x) const {
  return apply(x, 0, num_layers_);
}

at::Tensor ParallelLinear::apply(const at::Tensor& x, std::size_t first, std::size_t count) const {
  CONTRA4_CHECK(x.dim() == 2 && first + count <= num_layers_, "rows, and layers that are there");
  if (weights_.size() == 1) {
    const at::Tensor rows = weights_[0].narrow(0, static_cast<std::int64_t>(first) * out_,
                                               static_cast<std::int64_t>(count) * out_);
    return product(x, rows);
  }
  at::Tensor out = at::empty({x.size(0), static_cast<std::int64_t>(count) * out_}, x.options());
  for (std::size_t i = 0; i < count; ++i) {
    at::Tensor columns = out.narrow(1, static_cast<std::int64_t>(i) * out_, out_);
    if (multiplies_in_float32(x)) {
      columns.copy_(product(x, weights_[first + i]));
    } else {
      at::mm_out(columns, x, weights_[first + i].t());
    }
  }
  return out;
}

}  // namespace contra4::nn
