// Writes the files of PyTorch's torch.save: a flat dictionary of tensors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "contra4/io/tensor_plan.h"
#include "contra4/io/zip_writer.h"

namespace contra4::io {

// A zip of stored members, which torch.load(weights_only=True) reads and memory-maps: data.pkl with
// a collections.OrderedDict, and one storage a tensor, aligned to 64 bytes. Zip64 where it is
// large. The file appears under its name only when it is whole; the same tensors give the same
// bytes, whatever the file is called. Needs some MiB however large the file is.
// Source: torch/serialization.py and caffe2/serialize/inline_container.cc, 2.13. On purpose
// without .format_version, from which PyTorch would compute where storages lie instead of looking.
class TorchFileWriter {
 public:
  // In this order in dictionary and file. Throws kInvalidArgument for names that are empty, there
  // twice or no UTF-8, and for a path that is a device; kUnimplemented for a type that has no
  // storage class in PyTorch's pickles (U16, U32, U64, F8); and as BulkFile.
  TorchFileWriter(const std::filesystem::path& path, std::vector<TensorPlan> tensors,
                  std::uint64_t zip64_from = ZipWriter::kZip64From);
  ~TorchFileWriter();
  TorchFileWriter(const TorchFileWriter&) = delete;
  TorchFileWriter& operator=(const TorchFileWriter&) = delete;

  std::span<const TensorPlan> tensors() const;
  std::uint64_t num_bytes() const;  // of all tensors

  // Row-major, little-endian, in the order of tensors(). Throws kResourceExhausted on a full disk.
  void write(std::string_view bytes);
  // Once, after exactly num_bytes().
  void commit();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace contra4::io
