// Tensors for tests of layers: the same everywhere, from no generator.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include "tests/support/safetensors_file.h"

namespace contra4::testing {

// Values in [-1, 1]; another `phase`, other values.
inline at::Tensor wavy(const std::vector<std::int64_t>& shape, float phase = 0.3F) {
  at::Tensor x = at::empty(shape);
  auto* values = x.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    values[i] = std::sin(static_cast<float>(i) * 1.7F + phase);
  }
  return x;
}

inline StoredTensor stored(const std::string& name, const at::Tensor& x) {
  const float* values = x.const_data_ptr<float>();
  return stored_float32(name, x.sizes().vec(), {values, values + x.numel()});
}

}  // namespace contra4::testing
