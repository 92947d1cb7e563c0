// Files that hold named tensors, whatever their format.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/io/tensor_type.h"

namespace contra4::io {

struct TensorEntry {
  std::string name;
  TensorType type = TensorType::kF32;
  std::vector<std::int64_t> shape;    // empty: one element
  std::vector<std::int64_t> strides;  // in elements; empty: row-major without gaps
  std::uint64_t offset = 0;           // of its first byte, from the start of the file
  std::uint64_t num_bytes = 0;        // from its first to its last element: checked

  // Both checked when the file was opened: no overflow.
  std::uint64_t num_elements() const;
  std::uint64_t contiguous_bytes() const { return num_elements() * bytes_per_element(type); }
};

// A file held open. Entries and bytes live as long as it does. Any number of threads may read.
class TensorFile {
 public:
  virtual ~TensorFile() = default;
  virtual const std::filesystem::path& path() const = 0;
  virtual std::span<const TensorEntry> tensors() const = 0;  // by name
  // Little-endian, possibly not aligned to the element.
  virtual std::string_view bytes(const TensorEntry& tensor) const = 0;
  // Gives back the memory that reading a part of bytes() took; the part stays readable.
  virtual void release(std::string_view bytes) const = 0;

  // Null when there is none of that name.
  const TensorEntry* find(std::string_view name) const;
};

// The file or files of a checkpoint, by content: safetensors, a zip of PyTorch's (.pth .pt .bin).
// A folder: the first that is there of model.safetensors, the shards that
// model.safetensors.index.json names, those of pytorch_model.bin.index.json, pytorch_model.bin, and
// consolidated.*.pth with the split ones (.s0.pth, .s1.pth, ...). Throws kNotFound saying what was
// looked for, kDataLoss with file and tensor at fault, kUnimplemented for PyTorch's format before
// 1.6 (telling how to save anew) and for a model that was cut into parts by its columns and rows.
std::vector<std::unique_ptr<TensorFile>> open_tensor_files(const std::filesystem::path& path);
std::unique_ptr<TensorFile> open_tensor_file(const std::filesystem::path& file);

}  // namespace contra4::io
