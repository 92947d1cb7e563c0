// The safetensors format: named tensors in one file, found by a JSON header and read from the
// mapped file without a copy. Nothing here knows torch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/io/file.h"

namespace contra4::io {

enum class TensorType {
  kBool,
  kU8,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kU64,
  kI64,
  kF8E4M3,
  kF8E5M2,
  kF16,
  kBF16,
  kF32,
  kF64,
  kC64,
};

// As in the header: "F32".
std::string_view to_string(TensorType type);
std::optional<TensorType> find_tensor_type(std::string_view name);
std::uint64_t bytes_per_element(TensorType type);

struct TensorEntry {
  std::string name;
  TensorType type = TensorType::kF32;
  std::vector<std::int64_t> shape;  // empty: one element
  std::uint64_t offset = 0;         // of its first byte, from the start of the file
  std::uint64_t num_bytes = 0;      // elements times their size: checked
};

struct SafetensorsHeader {
  std::vector<TensorEntry> tensors;  // by name
  std::vector<std::pair<std::string, std::string>> metadata;
};

// The header of a whole file given as bytes. Everything in it is checked against the format and
// against the bytes that are there: sizes, types, ranges that lie one after the other from the
// first byte behind the header to the last of the file. kDataLoss with `what`, the tensor and the
// reason. Takes well under a second for any input; headers above 4 MiB (some 30,000 tensors) are
// refused.
// Source: github.com/huggingface/safetensors, README, "Format". Elements of less than a byte
// (F4, F6) and the type F8_E8M0 are refused as unknown.
Result<SafetensorsHeader> parse_safetensors(std::string_view file, std::string_view what);

// A file held open. Moves, does not copy; entries and bytes live as long as it does. Any number of
// threads may read.
class SafetensorsFile {
 public:
  // Throws kNotFound, kDataLoss.
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  const std::vector<TensorEntry>& tensors() const { return header_.tensors; }
  const std::vector<std::pair<std::string, std::string>>& metadata() const {
    return header_.metadata;
  }
  // Null when there is none of that name.
  const TensorEntry* find(std::string_view name) const;
  // Little-endian, row-major, possibly not aligned to the element.
  std::string_view bytes(const TensorEntry& tensor) const {
    return file_.bytes().substr(tensor.offset, tensor.num_bytes);
  }

 private:
  std::filesystem::path path_;
  MappedFile file_;
  SafetensorsHeader header_;
};

}  // namespace contra4::io
