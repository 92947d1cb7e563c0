// Rotary position embedding: pairs of a head's coordinates are turned by angles that grow with the
// position.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace contra4::nn {

// Which coordinates of a head make a pair.
enum class RotaryLayout {
  kInterleaved,  // 2i and 2i + 1, as in the weights Meta published
  kHalfSplit,    // i and i + width / 2, as in the transformers library
};

struct RotaryShape {
  std::int64_t head_width = 0;     // even
  std::int64_t num_positions = 0;  // 0 to num_positions - 1 can be asked for
  double base = 10000;             // pair i turns by position * base^(-2i / head_width)
  RotaryLayout layout = RotaryLayout::kInterleaved;
};

// The turns of the rows of one forward pass; the same for all layers and heads.
struct RotaryAngles {
  at::Tensor turns;  // [rows, 1, head_width / 2] complex, of absolute value 1
};

class Rotary {
 public:
  Rotary() = default;
  // `dtype`: of what is to be turned; float64 is turned in it, all others in float32.
  Rotary(const RotaryShape& shape, at::Device device, at::ScalarType dtype = at::kFloat);

  // positions [rows] int64 on the same device
  RotaryAngles angles(const at::Tensor& positions) const;
  // x [rows, num_columns or more]: the first num_columns, whole heads, are turned in place.
  // Gradients go through it; what is turned must not be kept for others then.
  at::Tensor rotate(at::Tensor x, std::int64_t num_columns, const RotaryAngles& angles) const;

 private:
  RotaryShape shape_;
  at::Tensor table_;  // [num_positions, head_width / 2] complex
};

}  // namespace contra4::nn
