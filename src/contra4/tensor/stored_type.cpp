#include "contra4/tensor/stored_type.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "contra4/base/error.h"

namespace contra4::tensor {

namespace {

struct TypeRow {
  io::TensorType stored;
  at::ScalarType type;
};
constexpr std::array kTypes = {TypeRow{io::TensorType::kBool, at::kBool},
                               TypeRow{io::TensorType::kU8, at::kByte},
                               TypeRow{io::TensorType::kI8, at::kChar},
                               TypeRow{io::TensorType::kU16, at::kUInt16},
                               TypeRow{io::TensorType::kI16, at::kShort},
                               TypeRow{io::TensorType::kU32, at::kUInt32},
                               TypeRow{io::TensorType::kI32, at::kInt},
                               TypeRow{io::TensorType::kU64, at::kUInt64},
                               TypeRow{io::TensorType::kI64, at::kLong},
                               TypeRow{io::TensorType::kF8E4M3, at::kFloat8_e4m3fn},
                               TypeRow{io::TensorType::kF8E5M2, at::kFloat8_e5m2},
                               TypeRow{io::TensorType::kF16, at::kHalf},
                               TypeRow{io::TensorType::kBF16, at::kBFloat16},
                               TypeRow{io::TensorType::kF32, at::kFloat},
                               TypeRow{io::TensorType::kF64, at::kDouble},
                               TypeRow{io::TensorType::kC64, at::kComplexFloat}};

}  // namespace

at::ScalarType scalar_type_of(io::TensorType type) {
  const auto* row = std::find_if(kTypes.begin(), kTypes.end(),
                                 [type](const TypeRow& r) { return r.stored == type; });
  CONTRA4_CHECK(row != kTypes.end(), "a tensor type without a row");
  return row->type;
}

io::TensorType stored_type_of(at::ScalarType type) {
  const auto* row = std::find_if(kTypes.begin(), kTypes.end(),
                                 [type](const TypeRow& r) { return r.type == type; });
  if (row == kTypes.end()) {
    throw Exception(ErrorCode::kUnimplemented,
                    fmt::format("no file holds tensors of type {}", c10::toString(type)));
  }
  return row->stored;
}

}  // namespace contra4::tensor
