// What a tensor is in a file.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include <ATen/core/Tensor.h>

namespace contra4::train {

// Elements of all pieces but the last.
inline constexpr std::int64_t kPieceElements = std::int64_t{1} << 20;

// The bytes of a tensor as another type, row-major, piece by piece: one from another device or of
// another type needs memory for a piece alone, unless its elements lie in another order.
void each_piece(const at::Tensor& tensor, at::ScalarType type,
                const std::function<void(std::string_view)>& visit);

}  // namespace contra4::train
