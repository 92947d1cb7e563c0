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
  at::Tensor turns;  // [rows, 1, head_width / 2] complex float32, of absolute value 1
};

class Rotary {
 public:
  Rotary() = default;
  Rotary(const RotaryShape& shape, at::Device device);

  // positions [rows] int64 on the same device
  RotaryAngles angles(const at::Tensor& positions) const;
  // x [rows, heads * head_width], rows any number of elements apart: turned in place, in float32
  // whatever its type.
  void rotate(at::Tensor x, const RotaryAngles& angles) const;

 private:
  RotaryShape shape_;
  at::Tensor table_;  // [num_positions, head_width / 2] complex float32
};

}  // namespace contra4::nn
