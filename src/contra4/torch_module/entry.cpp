// What the module gives to the program: the one symbol it exports.
#include "contra4/inference/torch_module.h"

#include <memory>
#include <utility>

#include "contra4/models/device/devices.h"
#include "contra4/models/exact_search.h"
#include "contra4/models/minilm.h"
#include "contra4/models/native_answerer.h"
#include "contra4/models/registry.h"
#include "contra4/train/finetune.h"
#include "contra4/train/finetune_plan.h"

namespace contra4 {

namespace {

class Module : public TorchModule {
 public:
  std::unique_ptr<Embedder> make_minilm(const EmbedderOptions& options) const override {
    return std::make_unique<models::MiniLm>(options);
  }
  std::unique_ptr<Answerer> make_native(std::string_view name,
                                        const NativeModelOptions& options) const override {
    return std::make_unique<models::NativeAnswerer>(models::make_scene_model(name, options),
                                                    options);
  }
  std::unique_ptr<NeighborSearch> make_neighbor_search(int num_threads) const override {
    return std::make_unique<models::ExactSearch>(
        models::ExactSearch::Options{.num_threads = num_threads});
  }
  int num_gpus() const override { return models::num_gpus(); }
  FinetunePlan plan_finetune(const FinetuneOptions& options) const override {
    return train::plan_finetune(options);
  }
  FinetuneOutcome finetune(const FinetuneOptions& options, const FinetuneObserver& observer,
                           std::stop_token stop) const override {
    return train::finetune(options, observer, std::move(stop));
  }
};

}  // namespace

}  // namespace contra4

extern "C" __attribute__((visibility("default"))) const contra4::TorchModule* contra4_torch_module(
    int version) {
  static const contra4::Module module;
  return version == contra4::kTorchModuleVersion ? &module : nullptr;
}
