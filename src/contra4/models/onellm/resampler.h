// What makes a fixed number of rows for the language model out of a medium's tokens: three experts,
// mixed by a router per modality.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/data/modality.h"
#include "contra4/models/onellm/sizes.h"
#include "contra4/nn/block_runner.h"
#include "contra4/nn/gated_block.h"
#include "contra4/nn/layer_norm.h"
#include "contra4/nn/linear.h"
#include "contra4/nn/placement.h"
#include "contra4/tensor/checkpoint.h"

namespace contra4::models::onellm {

// Source: csuhan/OneLLM 8587a47, model/LLM/onellm.py.
class Resampler {
 public:
  // Throws as load_weight().
  Resampler(const tensor::Checkpoint& checkpoint, const Sizes& sizes,
            const nn::Placement& placement);

  //   tokens   [batch, length, width] of media of one modality, from CLIP
  //   returns  [batch, num_latents, width of the language model]
  // Layers go through `runner` as "llma.resample_layers.EXPERT.LAYER".
  at::Tensor forward(Modality modality, const at::Tensor& tokens, nn::BlockRunner& runner) const;

 private:
  struct Router {
    nn::Linear inner;
    nn::Linear outer;

    bool is_trained() const { return inner.weight.requires_grad(); }
    // [num_latents, width] -> [num_latents, experts], float32 at least: rows sum to 1
    at::Tensor shares(const at::Tensor& latents) const;
  };
  struct Head {
    nn::Linear in;
    nn::LayerNorm in_norm;
    at::Tensor latents;  // [1, num_latents, width]
    Router router;       // empty where its answer is a constant
    at::Tensor shares;   // that constant
    nn::Linear out;
    nn::LayerNorm out_norm;
  };
  struct Layer {
    std::string name;
    nn::GatedBlock block;
  };
  using Expert = std::vector<Layer>;

  at::Tensor run_expert(const Expert& expert, const at::Tensor& sequences,
                        nn::BlockRunner& runner) const;

  std::int64_t num_latents_;
  std::vector<Expert> experts_;
  std::map<Modality, Head> heads_;
};

}  // namespace contra4::models::onellm
