// Checkpoints of PyTorch: a zip with a pickle and one member per storage. The pickle is read by an
// interpreter of our own that knows a short list of globals and runs no code.
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
  // What else stands there, by path: numbers, texts, the names of classes. For messages.
  std::vector<std::pair<std::string, std::string>> other;
};

// Dictionaries within dictionaries become names joined by ".": {"model": {"a": t}} is "model.a".
// Parameters and tensors alike, typed and untyped storages, several tensors in one storage, any
// strides; memory is used in place and must be stored, not deflated. kDataLoss with `what` and the
// reason, well under a second for any input; a global that is not on the list is named.
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
  const TorchFileContent& content() const { return content_; }

 private:
  std::filesystem::path path_;
  MappedFile file_;
  TorchFileContent content_;
};

}  // namespace contra4::io
