// Where the weights of a model lie, and how they get there from a checkpoint.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/tensor/checkpoint.h"

namespace contra4::nn {

// A device and the type in which products are computed there.
struct Placement {
  at::Device device = at::kCPU;
  at::ScalarType dtype = at::kFloat;

  at::TensorOptions options() const { return at::TensorOptions().device(device).dtype(dtype); }
};

// A tensor of the checkpoint there: as it lies in the mapped file or in memory where device and
// type are those already (the very leaf of one that is trained), one copy otherwise. Throws as
// Checkpoint::get; kDataLoss for a tensor of integers.
at::Tensor load_weight(const tensor::Checkpoint& checkpoint, const std::string& name,
                       const std::vector<std::int64_t>& shape, const Placement& placement = {});

}  // namespace contra4::nn
