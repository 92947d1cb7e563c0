// Tensors as PyTorch puts them into a pickle: calls of functions that rebuild them from a storage,
// which is a member of the same zip.
// Source: torch/_utils.py (_rebuild_*) and torch/serialization.py (_save, persistent_load), 2.13.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/io/pickle.h"
#include "contra4/io/tensor_file.h"
#include "contra4/io/zip_archive.h"

namespace contra4::io {

// "FloatStorage"; empty for a type whose storages PyTorch writes without a class of their own.
std::optional<std::string_view> find_storage_class(TensorType type);

class TorchTensors {
 public:
  // All outlive this. `folder` is the archive's own, with "/" at its end.
  TorchTensors(const PickleTree& tree, const ZipArchive& archive, std::string_view folder,
               std::string_view what)
      : tree_(tree), archive_(archive), folder_(folder), what_(what) {}

  // Whether the value is a call of a function that rebuilds a tensor or a parameter.
  bool is_tensor(const PickleValue& value) const;
  // Of such a value, where it lies. kUnimplemented when the type of its elements is none of
  // TensorType, kDataLoss when it reaches beyond its storage or is no tensor after all.
  Result<TensorEntry> place(const PickleValue& value, std::string name) const;

 private:
  struct Storage {
    std::uint64_t offset = 0;  // of its first byte in the file
    std::uint64_t num_bytes = 0;
    std::string_view type;  // "FloatStorage"
  };
  struct Call;
  Call innermost(const PickleValue& value) const;
  Result<Storage> find_storage(const PickleValue& value, std::string_view name) const;
  Result<void> place_elements(TensorEntry& tensor, const Storage& storage,
                              std::int64_t first_element) const;
  bool read_sizes(PickleId id, std::vector<std::int64_t>& sizes) const;
  Error error_at(std::string_view name, ErrorCode code, std::string_view reason) const;

  const PickleTree& tree_;
  const ZipArchive& archive_;
  std::string_view folder_;
  std::string_view what_;
};

}  // namespace contra4::io
