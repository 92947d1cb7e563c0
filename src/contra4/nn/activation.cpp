#include "contra4/nn/activation.h"

#include <algorithm>
#include <array>

#include <ATen/ops/gelu.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/silu.h>

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

void activate(Activation activation, at::Tensor& x) {
  switch (activation) {
    case Activation::kGelu:
      at::gelu_(x);
      return;
    case Activation::kGeluTanh:
      at::gelu_(x, "tanh");
      return;
    case Activation::kQuickGelu:
      // x sigmoid(ax) = silu(ax) / a: three passes over x and no other memory.
      at::silu_(x.mul_(kQuickGeluFactor)).mul_(1 / kQuickGeluFactor);
      return;
    case Activation::kRelu:
      at::relu_(x);
      return;
    case Activation::kSilu:
      at::silu_(x);
      return;
  }
}

}  // namespace contra4::nn
