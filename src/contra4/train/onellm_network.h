// OneLLM as it is trained: the layers of models/onellm over weights that change.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/data/modality.h"
#include "contra4/inference/finetune.h"
#include "contra4/models/onellm/sizes.h"
#include "contra4/models/scene_model.h"
#include "contra4/nn/block_runner.h"
#include "contra4/tensor/checkpoint.h"
#include "contra4/text/sentence_piece.h"
#include "contra4/train/unit.h"

namespace contra4::train {

// The weights that are trained, by the layer they belong to: the root first, which holds what
// belongs to no layer, then layers in the order in which a forward pass runs them. Low-rank updates
// of a product NAME are NAME.lora_a [rank, in] and NAME.lora_b [out, rank]. CLIP is never trained,
// and what belongs to modalities that are not asked about here is not.
// No decay: biases, and weights whose name ends with norm.weight, as published (not those of the
// layer norms clip_proj1.*.1 and clip_proj2.*.1).
// Throws kInvalidArgument for a rank below 1 and for a target that no layer has.
std::vector<UnitPlan> plan_units(const tensor::Checkpoint& checkpoint,
                                 const models::onellm::Sizes& sizes, TrainedPart trained,
                                 const LoraOptions& lora);

// Whether what CLIP gives for a modality is the same during all of the training.
bool is_frozen(Modality modality, TrainedPart trained);

// Sequences of one item.
struct Example {
  std::span<const std::int64_t> ids;  // of the text; ids[0] stands before the scenes
  std::vector<bool> labels;           // one an id, or none: which are to be predicted
  std::vector<Modality> modalities;   // of the scenes
  // Of each scene: see NetworkMedia.
  std::vector<const models::SceneFeatures*> media;
  bool shows_last_scene_only = false;  // the published training's defect
};

struct NetworkOptions {
  TrainedPart trained = TrainedPart::kAll;
  double lora_scale = 2;  // alpha / rank
  at::ScalarType dtype = at::kFloat;
  at::Device device = at::kCPU;
  // Of "Scene A: " and so on, the text before a scene; see scene_label_ids().
  std::vector<std::vector<std::int64_t>> label_ids;
};

// For all scenes that have a letter.
std::vector<std::vector<std::int64_t>> scene_label_ids(const text::SentencePiece& tokenizer);

class OnellmNetwork {
 public:
  // `weights` has every tensor that the model uses, on the device in the dtype: leaves of units
  // where they are trained. Throws as load_weight().
  OnellmNetwork(const tensor::Checkpoint& weights, const models::onellm::Sizes& sizes,
                const NetworkOptions& options);
  ~OnellmNetwork();
  OnellmNetwork(const OnellmNetwork&) = delete;
  OnellmNetwork& operator=(const OnellmNetwork&) = delete;

  // Sum of the cross entropies, in nats, over the labelled tokens: a scalar of float32 (float64
  // where the weights are), with its graph. Logits are computed at the labelled places alone.
  // Without any label it is 0 and still reaches all layers that the examples use. All examples show
  // the same modalities in the same order. Each distinct modality is encoded once, in the order of
  // kModalities, through `runner`; then the layers of the language model. Throws kInvalidArgument
  // for an example of more positions than the model has.
  at::Tensor loss_sum(std::span<const Example> examples, nn::BlockRunner& runner) const;

  // Logits float32 of what follows the last rows.size() positions of each example:
  // [sum of num_rows, vocabulary size].
  at::Tensor last_logits(std::span<const Example> examples, std::span<const std::int64_t> num_rows,
                         nn::BlockRunner& runner) const;

  // Positions that an example takes in the language model.
  std::int64_t length_of(const Example& example) const;

  const models::onellm::Sizes& sizes() const;
  const NetworkOptions& options() const;

  // What a medium is to the network: where the way to CLIP is not trained, what CLIP gives
  // {[tokens, width]}, without gradients, computed here; else the prepared medium itself.
  std::vector<models::SceneFeatures> freeze(Modality modality,
                                            std::span<const models::PreparedMedium> media) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace contra4::train
