// The door to the torch half, which lives in one shared module and is opened only by the commands
// that need it: loading libtorch costs some 185 ms. The program side is torch_loader.h.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "contra4/inference/embedder.h"
#include "contra4/inference/native_model.h"
#include "contra4/inference/neighbor_search.h"

namespace contra4 {

struct EmbedderOptions {
  std::filesystem::path folder;  // model.safetensors, vocab.txt, config.json
  int num_threads = 0;           // 0: all cores
};

// Everything the program asks of the torch half.
class TorchModule {
 public:
  virtual ~TorchModule() = default;
  // Throws kNotFound, kDataLoss with the file and tensor at fault.
  virtual std::unique_ptr<Embedder> make_minilm(const EmbedderOptions& options) const = 0;
  // The model of that name in native_models(). Throws kNotFound, kDataLoss with file and tensor at
  // fault, kResourceExhausted when it does not fit, kInvalidArgument for options it cannot honour.
  virtual std::unique_ptr<Answerer> make_native(std::string_view name,
                                                const NativeModelOptions& options) const = 0;
  // By matrix products; 0 threads: all cores.
  virtual std::unique_ptr<NeighborSearch> make_neighbor_search(int num_threads) const = 0;
};

// The module exports one function of this type under this name. The number changes with any header
// above, so that a program never opens a module of another build.
inline constexpr int kTorchModuleVersion = 4;
inline constexpr char kTorchModuleEntry[] = "contra4_torch_module";
using TorchModuleEntry = const TorchModule* (*)(int version);  // null for another version

}  // namespace contra4
