// What the module gives to the program: the one symbol it exports.
#include "contra4/inference/torch_module.h"

#include <memory>

#include "contra4/models/exact_search.h"
#include "contra4/models/minilm.h"
#include "contra4/models/native_answerer.h"
#include "contra4/models/registry.h"

namespace contra4::models {

namespace {

class Module : public TorchModule {
 public:
  std::unique_ptr<Embedder> make_minilm(const EmbedderOptions& options) const override {
    return std::make_unique<MiniLm>(options);
  }
  std::unique_ptr<Answerer> make_native(std::string_view name,
                                        const NativeModelOptions& options) const override {
    return std::make_unique<NativeAnswerer>(make_scene_model(name, options), options);
  }
  std::unique_ptr<NeighborSearch> make_neighbor_search(int num_threads) const override {
    return std::make_unique<ExactSearch>(ExactSearch::Options{.num_threads = num_threads});
  }
};

}  // namespace

}  // namespace contra4::models

extern "C" __attribute__((visibility("default"))) const contra4::TorchModule* contra4_torch_module(
    int version) {
  static const contra4::models::Module module;
  return version == contra4::kTorchModuleVersion ? &module : nullptr;
}
