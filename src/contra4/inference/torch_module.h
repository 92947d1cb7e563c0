// The door to the torch half, which lives in one shared module and is opened only by the commands
// that need it: loading libtorch costs some 185 ms. The program side is torch_loader.h.
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string_view>

#include "contra4/inference/embedder.h"
#include "contra4/inference/finetune.h"
#include "contra4/inference/finetune_plan.h"
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
  // That native models can be run and trained on.
  virtual int num_gpus() const = 0;
  // What finetune() would do and take; reads names and shapes of the checkpoint alone. The device
  // and the job's rank are of no influence. Throws as finetune() does before it begins.
  virtual FinetunePlan plan_finetune(const FinetuneOptions& options) const = 0;
  // One process of a training job: all of them call it with the same options but for the job's
  // rank. After a stop the outcome is not complete, and the training is saved. Throws kNotFound,
  // kDataLoss (also for a loss that is no number), kInvalidArgument, kResourceExhausted,
  // kUnavailable when another process fails.
  virtual FinetuneOutcome finetune(const FinetuneOptions& options, const FinetuneObserver& observer,
                                   std::stop_token stop) const = 0;
};

// The module exports one function of this type under this name. The number changes with any header
// above, so that a program never opens a module of another build.
inline constexpr int kTorchModuleVersion = 5;
inline constexpr char kTorchModuleEntry[] = "contra4_torch_module";
using TorchModuleEntry = const TorchModule* (*)(int version);  // null for another version

}  // namespace contra4
