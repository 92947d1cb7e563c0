// numpy's .npy files as far as the goldens use them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

namespace contra4::testing {

// A matrix of float32, row-major.
struct FloatMatrix {
  std::size_t num_rows = 0;
  std::size_t num_columns = 0;
  std::vector<float> values;

  std::span<const float> row(std::size_t index) const {
    return std::span(values).subspan(index * num_columns, num_columns);
  }
};

// Throws std::runtime_error for anything but a little-endian float32 matrix in C order.
FloatMatrix read_npy(const std::filesystem::path& path);

}  // namespace contra4::testing
