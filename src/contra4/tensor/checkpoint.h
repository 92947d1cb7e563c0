// Named tensors of a checkpoint, on disk or in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/io/tensor_file.h"

namespace contra4::tensor {

// Names that a model wants and a checkpoint has.
struct NameComparison {
  std::vector<std::string> missing;     // wanted and not there; sorted
  std::vector<std::string> unexpected;  // there and not wanted; sorted
};

// One or several files, of safetensors or PyTorch's, seen as one set of names. Tensors lie in the
// mapped files: opening is quick whatever the size, pages are read when they are used, and a tensor
// keeps its file mapped even when the Checkpoint is gone. The mapping is read-only: writing into
// such a tensor in place ends the process; clone() it first. Any number of threads may read.
class Checkpoint {
 public:
  // A file or a folder: what io::open_tensor_files() finds there, with its exceptions; kDataLoss
  // too when two files hold the same name.
  explicit Checkpoint(const std::filesystem::path& path);
  explicit Checkpoint(const std::vector<std::filesystem::path>& files);
  // Tensors that are there already, on any device: find() and get() give these very tensors, with
  // whatever autograd knows of them. `description` stands for the files in messages. Throws
  // kInvalidArgument for a name that comes twice.
  static Checkpoint of_tensors(std::vector<std::pair<std::string, at::Tensor>> tensors,
                               std::string description);

  // In the stored type, contiguous; a copy where the file does not align its elements or has them
  // in another order. Empty when there is none of that name.
  std::optional<at::Tensor> find(std::string_view name) const;
  // Type and shape without the bytes; null when there is none of that name. Offsets are those of
  // the file, 0 in memory.
  const io::TensorEntry* find_entry(std::string_view name) const;

  // As find(), of exactly this shape. Throws kNotFound with the nearest name there is, kDataLoss
  // with expected and found shape.
  at::Tensor get(std::string_view name, const std::vector<std::int64_t>& shape) const;
  // The same as float32: a copy unless it is stored so. Only floating-point types are widened;
  // kDataLoss for others.
  at::Tensor get_float32(std::string_view name, const std::vector<std::int64_t>& shape) const;
  // Gives back the memory that the stored bytes of a tensor take, when a copy of it is used from
  // now on; they are read anew when somebody looks at them. Nothing happens for unknown names and
  // for tensors in memory.
  void release(std::string_view name) const;

  // For those who load what is there and say what is not. `wanted` in any order.
  NameComparison compare_names(std::span<const std::string> wanted) const;
  // The same in words, with the nearest name for each of the first few that lack:
  // "lacks 2 of 940 tensors: 'a' (the nearest is 'b'), 'c'; has 3 others: ..."; empty when all is
  // as wanted.
  std::string name_report(std::span<const std::string> wanted) const;

  std::vector<std::string> names() const;  // sorted
  std::size_t size() const { return places_.size(); }
  // The files, or what of_tensors() was told, for messages.
  std::string description() const;

 private:
  struct Place {
    std::shared_ptr<const io::TensorFile> file;  // null: in memory
    std::shared_ptr<const io::TensorEntry> entry;
    at::Tensor tensor;  // in memory
  };
  Checkpoint() = default;
  std::string origin(const Place& place) const;
  void add(std::shared_ptr<const io::TensorFile> file);
  const Place& require(std::string_view name, const std::vector<std::int64_t>& shape) const;
  static at::Tensor open(const Place& place);

  std::vector<std::shared_ptr<const io::TensorFile>> files_;
  std::string description_;  // of tensors in memory
  std::map<std::string, Place, std::less<>> places_;
};

}  // namespace contra4::tensor
