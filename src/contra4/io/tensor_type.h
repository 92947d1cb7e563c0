// Types of the elements of stored tensors.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace contra4::io {

enum class TensorType {
  kBool,
  kU8,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kU64,
  kI64,
  kF8E4M3,
  kF8E5M2,
  kF16,
  kBF16,
  kF32,
  kF64,
  kC64,
};

// As safetensors spells it: "F32".
std::string_view to_string(TensorType type);
std::optional<TensorType> find_tensor_type(std::string_view name);
std::uint64_t bytes_per_element(TensorType type);

}  // namespace contra4::io
