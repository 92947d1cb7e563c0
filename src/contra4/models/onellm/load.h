// What a OneLLM needs before it is loaded.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/models/device/memory.h"
#include "contra4/models/onellm/sizes.h"
#include "contra4/tensor/checkpoint.h"

namespace contra4::models::onellm {

// One a device: the encoder and the embeddings on the first, layers dealt evenly, the output on the
// last. `batch_size` is how many questions are asked at once.
std::vector<MemoryNeed> estimate_memory(const tensor::Checkpoint& checkpoint, const Sizes& sizes,
                                        std::span<const at::Device> devices, at::ScalarType dtype,
                                        std::int64_t batch_size);

}  // namespace contra4::models::onellm
