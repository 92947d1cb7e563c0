#include "contra4/nn/rotary.h"

#include <vector>

#include <ATen/ops/arange.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/polar.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/view_as_complex.h>
#include <ATen/ops/view_as_real.h>
#include <c10/core/ScalarType.h>
#include <torch/csrc/autograd/custom_function.h>

#include "contra4/base/error.h"
#include "contra4/nn/recording.h"

namespace contra4::nn {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// x [rows, heads * head_width], rows any number of elements apart.
void turn(const at::Tensor& x, const at::Tensor& turns, bool is_interleaved) {
  const std::int64_t half = turns.size(-1);
  const std::int64_t num_heads = x.size(1) / (2 * half);
  const at::ScalarType type = c10::toRealValueType(turns.scalar_type());
  if (is_interleaved) {
    const at::Tensor pairs = x.unflatten(1, {num_heads, half, 2});
    if (x.scalar_type() == type) {
      at::view_as_complex(pairs).mul_(turns);
      return;
    }
    const at::Tensor turned = at::view_as_complex(pairs.to(type).contiguous()).mul_(turns);
    pairs.copy_(at::view_as_real(turned));
    return;
  }
  const at::Tensor halves = x.unflatten(1, {num_heads, 2, half});
  const at::Tensor pairs = at::stack({halves.select(2, 0), halves.select(2, 1)}, -1);
  const at::Tensor turned = at::view_as_complex(pairs.to(type).contiguous()).mul_(turns);
  halves.copy_(at::view_as_real(turned).transpose(-1, -2));
}

// The gradient of a turn is the turn back.
class RecordedTurn : public torch::autograd::Function<RecordedTurn> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, std::int64_t num_columns,
                            bool is_interleaved, const at::Tensor& turns) {
    context->mark_dirty({x});
    context->save_for_backward({turns});
    context->saved_data["num_columns"] = num_columns;
    context->saved_data["is_interleaved"] = is_interleaved;
    turn(x.narrow(1, 0, num_columns), turns, is_interleaved);
    return x;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const at::Tensor turns = context->get_saved_variables()[0].conj().resolve_conj();
    const at::Tensor gradient = gradients[0].clone(at::MemoryFormat::Contiguous);  // others see it
    turn(gradient.narrow(1, 0, context->saved_data["num_columns"].toInt()), turns,
         context->saved_data["is_interleaved"].toBool());
    return {gradient, {}, {}, {}};
  }
};

}  // namespace

Rotary::Rotary(const RotaryShape& shape, at::Device device, at::ScalarType dtype) : shape_(shape) {
  CONTRA4_CHECK(shape.head_width > 0 && shape.head_width % 2 == 0, "pairs of coordinates");
  // Frequencies and their products with positions in float32, as the published models have them.
  const at::ScalarType type = at_least_float32(dtype);
  const at::Tensor exponents =
      at::arange(0, shape.head_width, 2, type).div_(static_cast<double>(shape.head_width));
  const at::Tensor frequencies = at::pow(at::Scalar(shape.base), exponents).reciprocal_();
  const at::Tensor angles = at::outer(at::arange(shape.num_positions, type), frequencies);
  table_ = at::polar(at::ones_like(angles), angles).to(device);
}

RotaryAngles Rotary::angles(const at::Tensor& positions) const {
  return {table_.index_select(0, positions).unsqueeze(1)};
}

at::Tensor Rotary::rotate(at::Tensor x, std::int64_t num_columns,
                          const RotaryAngles& angles) const {
  CONTRA4_CHECK(x.dim() == 2 && num_columns % shape_.head_width == 0 && num_columns <= x.size(1),
                "whole heads of rows");
  const bool is_interleaved = shape_.layout == RotaryLayout::kInterleaved;
  if (is_recording(x)) return RecordedTurn::apply(x, num_columns, is_interleaved, angles.turns);
  turn(x.narrow(1, 0, num_columns), angles.turns, is_interleaved);
  return x;
}

}  // namespace contra4::nn
