#include "contra4/nn/placement.h"

#include <c10/core/ScalarType.h>
#include <fmt/format.h>

#include "contra4/base/error.h"

namespace contra4::nn {

at::Tensor load_weight(const tensor::Checkpoint& checkpoint, const std::string& name,
                       const std::vector<std::int64_t>& shape, const Placement& placement) {
  const at::Tensor stored = checkpoint.get(name, shape);
  if (!at::isFloatingType(stored.scalar_type())) {
    throw Exception(
        ErrorCode::kDataLoss,
        fmt::format("{}: tensor '{}' is of type {}, wanted floating-point numbers",
                    checkpoint.description(), name, c10::toString(stored.scalar_type())));
  }
  at::Tensor placed = stored.to(placement.device, placement.dtype);
  if (!placed.is_same(stored)) checkpoint.release(name);
  return placed;
}

}  // namespace contra4::nn
