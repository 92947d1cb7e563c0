// The nonlinearity of a feed-forward layer, chosen by a model's configuration.
#pragma once

#include <optional>
#include <string_view>

#include <ATen/core/Tensor.h>

namespace contra4::nn {

enum class Activation {
  kGelu,       // exact, by the error function
  kGeluTanh,   // its approximation by tanh
  kQuickGelu,  // x sigmoid(1.702 x), as in CLIP
  kRelu,
  kSilu,
};

// As configurations of the transformers library spell it: "gelu", "gelu_new", "quick_gelu",
// "relu", "silu".
std::optional<Activation> find_activation(std::string_view name);

// factor * f(x) = inner(factor * x): products before and after can take the factor along.
struct FactoredActivation {
  Activation inner = Activation::kGelu;
  double factor = 1;
};
FactoredActivation factored(Activation activation);

// Element by element, in place: x is spent. Where autograd records, x becomes another tensor.
void activate(Activation activation, at::Tensor& x);

}  // namespace contra4::nn
