// Types of elements, in files and in tensors.
#pragma once

#include <ATen/core/Tensor.h>

#include "contra4/io/tensor_type.h"

namespace contra4::tensor {

at::ScalarType scalar_type_of(io::TensorType type);
// Throws kUnimplemented for types that no file holds.
io::TensorType stored_type_of(at::ScalarType type);

}  // namespace contra4::tensor
