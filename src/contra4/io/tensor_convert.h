// The tensors of any files as one safetensors file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "contra4/io/tensor_file.h"

namespace contra4::io {

struct ConvertOptions {
  // What floating-point numbers of 2, 4 and 8 bytes become, kF32, kF16 or kBF16: rounded to the
  // nearest. Without it every tensor keeps its type; all others keep it in any case.
  std::optional<TensorType> float_type = std::nullopt;
  // Only the tensors below this name, "model" for "model.a", which then are called "a". Empty: all.
  std::string below = {};
};

struct ConvertResult {
  std::uint64_t num_tensors = 0;
  std::uint64_t num_bytes = 0;  // of the tensors as written
};

// (bytes written, of how many)
using ConvertProgress = std::function<void(std::uint64_t, std::uint64_t)>;

// Row-major without gaps, whatever the strides; tensors that share bytes are written one by one.
// Memory stays at some MiB whatever the sizes: what was written of the inputs is released.
// Throws kNotFound when nothing lies below `below`, kDataLoss when two inputs hold one name,
// kResourceExhausted when shared bytes would make the output 16 times the inputs, kCancelled after
// a stop (nothing is written then), and as SafetensorsWriter.
ConvertResult write_safetensors(std::span<const std::unique_ptr<TensorFile>> inputs,
                                const std::filesystem::path& output, const ConvertOptions& options,
                                const ConvertProgress& progress = {}, std::stop_token stop = {});

}  // namespace contra4::io
