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

#include "contra4/base/error.h"

namespace contra4::nn {

Rotary::Rotary(const RotaryShape& shape, at::Device device) : shape_(shape) {
  CONTRA4_CHECK(shape.head_width > 0 && shape.head_width % 2 == 0, "pairs of coordinates");
  // Frequencies and their products with positions in float32, as the published models have them.
  const at::Tensor exponents =
      at::arange(0, shape.head_width, 2, at::kFloat).div_(static_cast<double>(shape.head_width));
  const at::Tensor frequencies = at::pow(at::Scalar(shape.base), exponents).reciprocal_();
  const at::Tensor angles = at::outer(at::arange(shape.num_positions, at::kFloat), frequencies);
  table_ = at::polar(at::ones_like(angles), angles).to(device);
}

RotaryAngles Rotary::angles(const at::Tensor& positions) const {
  return {table_.index_select(0, positions).unsqueeze(1)};
}

void Rotary::rotate(at::Tensor x, const RotaryAngles& angles) const {
  const std::int64_t half = shape_.head_width / 2;
  const std::int64_t num_heads = x.size(1) / shape_.head_width;
  if (shape_.layout == RotaryLayout::kInterleaved) {
    at::Tensor pairs = x.unflatten(1, {num_heads, half, 2});
    if (x.scalar_type() == at::kFloat) {
      at::view_as_complex(pairs).mul_(angles.turns);
      return;
    }
    const at::Tensor turned =
        at::view_as_complex(pairs.to(at::kFloat).contiguous()).mul_(angles.turns);
    pairs.copy_(at::view_as_real(turned));
    return;
  }
  at::Tensor halves = x.unflatten(1, {num_heads, 2, half});
  const at::Tensor pairs = at::stack({halves.select(2, 0), halves.select(2, 1)}, -1);
  const at::Tensor turned =
      at::view_as_complex(pairs.to(at::kFloat).contiguous()).mul_(angles.turns);
  halves.copy_(at::view_as_real(turned).transpose(-1, -2));
}

}  // namespace contra4::nn
