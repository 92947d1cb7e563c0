// The model that a training ends with, as a checkpoint of its own.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/io/safetensors_writer.h"
#include "contra4/io/torch_file_writer.h"
#include "contra4/tensor/checkpoint.h"

namespace contra4::train {

struct FinalModelOptions {
  std::filesystem::path folder;          // is made
  bool writes_torch_file = true;         // consolidated.00-of-01.pth, as published
  bool writes_safetensors = false;       // model.safetensors, which our readers prefer
  at::ScalarType type = at::kBFloat16;   // of all floating-point tensors
  std::filesystem::path config = {};     // copied to params.json; empty: none
  std::filesystem::path tokenizer = {};  // copied to tokenizer.model; empty: none
};

// The files that a model of these options is, without config and tokenizer.
std::vector<std::filesystem::path> model_files(const FinalModelOptions& options);

// Before a training: whether its model may go to the folder. Throws kInvalidArgument when `source`,
// a checkpoint's folder or file, lies there, and when weights lie there that a reader would take
// instead of the model's or together with them.
void check_model_folder(const FinalModelOptions& options, const std::filesystem::path& source);

// Every tensor of the source under its name: those that were trained as they are given, the others
// byte for byte where they have the type already. The files appear when they are whole, all of them
// in commit(). One tensor is in memory at a time. One thread at a time.
class FinalModelWriter {
 public:
  // `source` outlives this; `changed`: names of its floating-point tensors in the order in which
  // add() gives them, each once. Throws kUnimplemented for types that the format lacks,
  // kResourceExhausted on a full disk, kNotFound for config and tokenizer.
  FinalModelWriter(const tensor::Checkpoint& source, std::vector<std::string> changed,
                   FinalModelOptions options);

  // The next of `changed`, of its shape; any floating-point type and device.
  void add(std::string_view name, const at::Tensor& tensor);
  // Once, after all of `changed`.
  void commit();

 private:
  io::TensorType type_of(const io::TensorEntry& stored) const;
  void copy(const std::vector<std::string>& names);  // from the source
  void write(const at::Tensor& tensor, at::ScalarType type);

  const tensor::Checkpoint& source_;
  FinalModelOptions options_;
  std::vector<std::string> changed_;
  std::size_t num_added_ = 0;
  std::vector<std::string> later_;  // of the source, behind `changed_`
  std::optional<io::TorchFileWriter> torch_file_;
  std::optional<io::SafetensorsWriter> safetensors_;
};

}  // namespace contra4::train
