#include "contra4/nn/layer_norm.h"

#include <ATen/ops/layer_norm.h>

namespace contra4::nn {

at::Tensor LayerNorm::operator()(const at::Tensor& x) const {
  return at::layer_norm(x, weight.sizes(), weight, bias, eps);
}

LayerNorm load_layer_norm(const tensor::Checkpoint& checkpoint, const std::string& name,
                          const LayerNormShape& shape, const Placement& placement) {
  return {.weight = load_weight(checkpoint, name + ".weight", {shape.width}, placement),
          .bias = load_weight(checkpoint, name + ".bias", {shape.width}, placement),
          .eps = shape.eps};
}

}  // namespace contra4::nn
