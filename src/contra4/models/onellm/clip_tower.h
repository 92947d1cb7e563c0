// The transformer of CLIP's vision side, which OneLLM uses for all modalities.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/models/onellm/sizes.h"
#include "contra4/nn/layer_norm.h"
#include "contra4/nn/placement.h"
#include "contra4/nn/vit_block.h"
#include "contra4/tensor/checkpoint.h"

namespace contra4::models::onellm {

// Source: open_clip v2.23.0, transformer.py, with the QuickGELU of OpenAI's weights.
class ClipTower {
 public:
  // Throws as load_weight().
  ClipTower(const tensor::Checkpoint& checkpoint, const Sizes& sizes,
            const nn::Placement& placement);

  //   tokens     [batch, length, width] what a stem made of a medium
  //   positions  [length + 1, width] of the class token and the tokens
  //   returns    [batch, length + 1, width], normalised; the class token first
  at::Tensor forward(const at::Tensor& tokens, const at::Tensor& positions) const;

 private:
  at::Tensor class_embedding_;  // [width]
  nn::LayerNorm norm_before_;
  std::vector<nn::VitBlock> blocks_;
  nn::LayerNorm norm_after_;
};

}  // namespace contra4::models::onellm
