// Checkpoints of PyTorch: a zip with a pickle and one member per storage. The pickle is read by an
// interpreter of our own (io/pickle.h) that runs no code; of what it names, only the functions that
// rebuild tensors have a meaning here.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/io/file.h"
#include "contra4/io/tensor_file.h"

namespace contra4::io {

struct TorchFileContent {
  std::vector<TensorEntry> tensors;  // by name
  // What else stands there, by path and in the file's order: numbers, texts, classes
  // ("args", "argparse.Namespace"; "args.lr", "0.1"), tensors of types that are not read. Cut after
  // some thousands. For messages and for hyper-parameters that travel with weights.
  std::vector<std::pair<std::string, std::string>> other;

  // The text at a path; null when there is none.
  const std::string* find_other(std::string_view path) const;
};

// Dictionaries within dictionaries become names joined by ".": {"model": {"a": t}} is "model.a",
// also within lists ("list.0") and within the attributes of objects ("args.lr"). A file that is one
// tensor has it as "tensor". Parameters and tensors alike, typed and untyped storages, several
// tensors in one storage, any strides; members are used in place and must be stored, not deflated.
//
// kDataLoss with `what` and the reason, well under a second for any input. Values of classes that
// have no meaning here stay opaque and hinder nothing, with two exceptions: a file without any
// tensor is refused with the classes it names, and a file that calls what runs commands (os.system
// and its like) is refused, because it was made to attack who unpickles it.
Result<TorchFileContent> parse_torch_file(std::string_view file, std::string_view what);

class TorchFile final : public TensorFile {
 public:
  // Throws kNotFound, kDataLoss, kUnimplemented.
  explicit TorchFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const override { return path_; }
  std::span<const TensorEntry> tensors() const override { return content_.tensors; }
  std::string_view bytes(const TensorEntry& tensor) const override {
    return file_.bytes().substr(tensor.offset, tensor.num_bytes);
  }
  void release(std::string_view bytes) const override { file_.release(bytes); }
  const TorchFileContent& content() const { return content_; }

 private:
  std::filesystem::path path_;
  MappedFile file_;
  TorchFileContent content_;
};

}  // namespace contra4::io
