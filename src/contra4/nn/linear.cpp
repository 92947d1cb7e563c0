#include "contra4/nn/linear.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>

#include "contra4/base/error.h"

namespace contra4::nn {

at::Tensor Linear::operator()(const at::Tensor& x) const {
  return bias.defined() ? at::linear(x, weight, bias) : at::linear(x, weight);
}

Linear load_linear(const tensor::Checkpoint& checkpoint, const std::string& name,
                   const LinearShape& shape) {
  Linear linear;
  linear.weight = checkpoint.get_float32(name + ".weight", {shape.out, shape.in});
  if (shape.has_bias) linear.bias = checkpoint.get_float32(name + ".bias", {shape.out});
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

}  // namespace contra4::nn
