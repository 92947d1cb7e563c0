#include "contra4/io/tensor_type.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace contra4::io {

namespace {

struct TypeRow {
  TensorType type;
  std::string_view name;
  std::uint64_t bytes;
};

constexpr std::array kTypes = {
    TypeRow{TensorType::kBool, "BOOL", 1},      TypeRow{TensorType::kU8, "U8", 1},
    TypeRow{TensorType::kI8, "I8", 1},          TypeRow{TensorType::kU16, "U16", 2},
    TypeRow{TensorType::kI16, "I16", 2},        TypeRow{TensorType::kU32, "U32", 4},
    TypeRow{TensorType::kI32, "I32", 4},        TypeRow{TensorType::kU64, "U64", 8},
    TypeRow{TensorType::kI64, "I64", 8},        TypeRow{TensorType::kF8E4M3, "F8_E4M3", 1},
    TypeRow{TensorType::kF8E5M2, "F8_E5M2", 1}, TypeRow{TensorType::kF16, "F16", 2},
    TypeRow{TensorType::kBF16, "BF16", 2},      TypeRow{TensorType::kF32, "F32", 4},
    TypeRow{TensorType::kF64, "F64", 8},        TypeRow{TensorType::kC64, "C64", 8},
};

const TypeRow& row_of(TensorType type) {
  return kTypes.at(static_cast<std::size_t>(type));
}

}  // namespace

std::string_view to_string(TensorType type) {
  return row_of(type).name;
}

std::uint64_t bytes_per_element(TensorType type) {
  return row_of(type).bytes;
}

std::optional<TensorType> find_tensor_type(std::string_view name) {
  const auto row = std::find_if(kTypes.begin(), kTypes.end(), [name](const TypeRow& candidate) {
    return candidate.name == name;
  });
  if (row == kTypes.end()) return std::nullopt;
  return row->type;
}

}  // namespace contra4::io
