// Whether layers run for training or for answers alone. Layers are the same for both; where nobody
// will ask for gradients they work in place.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>

namespace contra4::nn {

// Whether any of these takes part in a training, recorded at this moment or not: what a layer gives
// must not depend on that, or what is computed anew in a backward pass would differ. Undefined
// tensors take part in none.
template <class... Tensors>
bool is_trained(const Tensors&... operands) {
  return ((operands.defined() && operands.requires_grad()) || ...);
}

// Whether autograd records what is computed from these: gradients are enabled and one of them wants
// some.
template <class... Tensors>
bool is_recording(const Tensors&... operands) {
  return c10::GradMode::is_enabled() && is_trained(operands...);
}

// float64 for float64, else float32: the type of what must not be rounded to half precision.
inline at::ScalarType at_least_float32(at::ScalarType type) {
  return type == at::kDouble ? at::kDouble : at::kFloat;
}

}  // namespace contra4::nn
