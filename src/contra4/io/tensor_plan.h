// The tensors of a file that is about to be written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/io/tensor_type.h"

namespace contra4::io {

struct TensorPlan {
  std::string name;
  TensorType type = TensorType::kF32;
  std::vector<std::int64_t> shape;
  std::uint64_t num_bytes = 0;  // set by the writer
};

// Sets num_bytes of each and gives their sum.
std::uint64_t set_num_bytes(std::span<TensorPlan> tensors);

// Whether a name is text that every reader gives back as it is: UTF-8.
bool is_text(std::string_view name);

// Where a checkpoint of that name goes: behind a link, and never in place of a device. Throws
// kInvalidArgument.
std::filesystem::path checkpoint_target(const std::filesystem::path& path);

}  // namespace contra4::io
