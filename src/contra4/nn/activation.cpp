#include "contra4/nn/activation.h"

#include <algorithm>
#include <array>

#include <ATen/ops/gelu.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/silu.h>

#include "contra4/nn/recording.h"

namespace contra4::nn {

namespace {

constexpr double kQuickGeluFactor = 1.702;

struct Row {
  std::string_view name;
  Activation activation;
};

constexpr std::array kRows = {Row{"gelu", Activation::kGelu},
                              Row{"gelu_new", Activation::kGeluTanh},
                              Row{"quick_gelu", Activation::kQuickGelu},
                              Row{"relu", Activation::kRelu}, Row{"silu", Activation::kSilu}};

}  // namespace

std::optional<Activation> find_activation(std::string_view name) {
  const auto row =
      std::find_if(kRows.begin(), kRows.end(), [name](const Row& r) { return r.name == name; });
  if (row == kRows.end()) return std::nullopt;
  return row->activation;
}

// x sigmoid(ax) = silu(ax) / a.
FactoredActivation factored(Activation activation) {
  if (activation == Activation::kQuickGelu) return {Activation::kSilu, kQuickGeluFactor};
  return {activation, 1};
}

void activate(Activation activation, at::Tensor& x) {
  const bool is_new = is_recording(x);
  switch (activation) {
    case Activation::kGelu:
      x = is_new ? at::gelu(x) : at::gelu_(x);
      return;
    case Activation::kGeluTanh:
      x = is_new ? at::gelu(x, "tanh") : at::gelu_(x, "tanh");
      return;
    case Activation::kQuickGelu: {
      const auto [inner, factor] = factored(activation);
      x = is_new ? x.mul(factor) : x.mul_(factor);
      activate(inner, x);
      x.mul_(1 / factor);
      return;
    }
    case Activation::kRelu:
      x = is_new ? at::relu(x) : at::relu_(x);
      return;
    case Activation::kSilu:
      x = is_new ? at::silu(x) : at::silu_(x);
      return;
  }
}

}  // namespace contra4::nn
