// Writes safetensors files whose tensors come one after the other, in pieces of any size.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "contra4/io/bulk_file.h"
#include "contra4/io/tensor_plan.h"

namespace contra4::io {

enum class TensorOrder {
  kByTypeAndName,  // types of more bytes first
  kAsGiven,  // for who cannot choose the order of the bytes; the same rule about types applies
};

// The file appears under its name only when it is whole. The same tensors and bytes give the same
// file. The data begins at a multiple of 64 bytes and types of more bytes come first, so that every
// element is aligned for whoever maps the file.
class SafetensorsWriter {
 public:
  // Names must differ. Throws kInvalidArgument for one that JSON or the format does not hold and
  // for a path that is a device, kResourceExhausted for a header of more than 4 MiB, which no
  // reader of ours would take, and as BulkFile.
  SafetensorsWriter(const std::filesystem::path& path, std::vector<TensorPlan> tensors,
                    const std::vector<std::pair<std::string, std::string>>& metadata,
                    TensorOrder order = TensorOrder::kByTypeAndName);

  // In the order in which their bytes have to come.
  std::span<const TensorPlan> tensors() const { return tensors_; }
  std::uint64_t num_bytes() const { return num_bytes_; }  // of all tensors

  // Row-major, little-endian. Throws kResourceExhausted on a full disk.
  void write(std::string_view bytes);
  // Once, after exactly num_bytes().
  void commit();

 private:
  std::string header(const std::vector<std::pair<std::string, std::string>>& metadata) const;

  std::vector<TensorPlan> tensors_;
  std::uint64_t num_bytes_ = 0;
  std::uint64_t num_written_ = 0;
  std::optional<BulkFile> file_;
};

}  // namespace contra4::io
