// The memory that a native model takes, known before it is loaded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

namespace contra4::models {

struct MemoryNeed {
  at::Device device = at::kCPU;
  std::uint64_t copied_bytes = 0;  // weights brought there or into another type
  std::uint64_t mapped_bytes =
      0;  // weights used as they lie in the file: given back under pressure
  std::uint64_t working_bytes = 0;  // beside the weights, at most, by estimate

  std::uint64_t own_bytes() const { return copied_bytes + working_bytes; }
};

// What can be had there now; empty where the system does not say.
std::optional<std::uint64_t> available_memory(at::Device device);

// The most that this process has held there: resident pages of a CPU, allocated tensors of a GPU.
// 0 where the system does not say.
std::uint64_t peak_memory(at::Device device);

// "12.4 GB of weights and about 1.2 GB to work on cuda:0 (79.1 GB free)".
std::string describe(const MemoryNeed& need, std::optional<std::uint64_t> available);

// Throws kResourceExhausted, with `what` and what would help, where less is there than is needed.
void require_memory(const MemoryNeed& need, std::optional<std::uint64_t> available,
                    std::string_view what);

}  // namespace contra4::models
