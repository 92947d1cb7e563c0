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
#include "contra4/io/tensor_file.h"

namespace contra4::io {

struct SafetensorsHeader {
  std::vector<TensorEntry> tensors;  // by name
  std::vector<std::pair<std::string, std::string>> metadata;
};

inline constexpr std::uint64_t kMaxSafetensorsHeaderBytes = 4ULL << 20;

// The header of a whole file given as bytes. Everything in it is checked against the format and
// against the bytes that are there: sizes, types, ranges that lie one after the other from the
// first byte behind the header to the last of the file. kDataLoss with `what`, the tensor and the
// reason. Takes well under a second for any input; headers above 4 MiB (some 30,000 tensors) are
// refused.
// Source: github.com/huggingface/safetensors, README, "Format". Elements of less than a byte
// (F4, F6) and the type F8_E8M0 are refused as unknown.
Result<SafetensorsHeader> parse_safetensors(std::string_view file, std::string_view what);

class SafetensorsFile final : public TensorFile {
 public:
  // Throws kNotFound, kDataLoss.
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const override { return path_; }
  std::span<const TensorEntry> tensors() const override { return header_.tensors; }
  std::string_view bytes(const TensorEntry& tensor) const override {
    return file_.bytes().substr(tensor.offset, tensor.num_bytes);
  }
  void release(std::string_view bytes) const override { file_.release(bytes); }
  const std::vector<std::pair<std::string, std::string>>& metadata() const {
    return header_.metadata;
  }

 private:
  std::filesystem::path path_;
  MappedFile file_;
  SafetensorsHeader header_;
};

}  // namespace contra4::io
