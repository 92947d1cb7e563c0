// What makes a fixed number of rows for the language model out of a medium's tokens: three experts,
// mixed by a router per modality.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/data/modality.h"
#include "contra4/models/onellm/sizes.h"
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
  at::Tensor forward(Modality modality, const at::Tensor& tokens) const;

 private:
  struct Head {
    nn::Linear in;
    nn::LayerNorm in_norm;
    at::Tensor latents;       // [num_latents, width]
    at::Tensor expert_share;  // [num_latents, experts] float32: rows sum to 1
    nn::Linear out;
    nn::LayerNorm out_norm;
  };
  using Expert = std::vector<nn::GatedBlock>;

  at::Tensor run_expert(const Expert& expert, const at::Tensor& sequences) const;

  std::int64_t num_latents_;
  std::vector<Expert> experts_;
  std::map<Modality, Head> heads_;
};

}  // namespace contra4::models::onellm
