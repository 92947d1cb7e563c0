// Named tensors of a checkpoint on disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/io/safetensors.h"

namespace contra4::tensor {

// One or several safetensors files seen as one set of names. Tensors lie in the mapped file:
// opening is quick whatever the size, pages are read when they are used, and a tensor keeps its
// file mapped even when the Checkpoint is gone. The mapping is read-only: writing into such a
// tensor in place ends the process; clone() it first.
class Checkpoint {
 public:
  // Throws kNotFound, kDataLoss with the file and the tensor at fault; kDataLoss too when two files
  // hold the same name.
  explicit Checkpoint(const std::filesystem::path& file);
  explicit Checkpoint(const std::vector<std::filesystem::path>& files);

  // In the stored type; a copy where the file does not align its elements. Empty when there is none
  // of that name.
  std::optional<at::Tensor> find(std::string_view name) const;

  // As find(), of exactly this shape. Throws kNotFound with the nearest name there is, kDataLoss
  // with expected and found shape.
  at::Tensor get(std::string_view name, const std::vector<std::int64_t>& shape) const;
  // The same as float32: a copy unless it is stored so. Only floating-point types are widened;
  // kDataLoss for others.
  at::Tensor get_float32(std::string_view name, const std::vector<std::int64_t>& shape) const;

  std::vector<std::string> names() const;  // sorted
  // The files, for messages.
  std::string description() const;

 private:
  struct Place {
    std::shared_ptr<const io::SafetensorsFile> file;
    const io::TensorEntry* entry = nullptr;  // in `file`
  };
  const Place& require(std::string_view name, const std::vector<std::int64_t>& shape) const;
  static at::Tensor open(const Place& place);

  std::vector<std::shared_ptr<const io::SafetensorsFile>> files_;
  std::map<std::string, Place, std::less<>> places_;
};

}  // namespace contra4::tensor
