// The transformer of CLIP's vision side, which OneLLM uses for all modalities.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/models/onellm/sizes.h"
#include "contra4/nn/block_runner.h"
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
  // Layers go through `runner` as "llma.clip.visual.transformer.resblocks.I".
  at::Tensor forward(const at::Tensor& tokens, const at::Tensor& positions,
                     nn::BlockRunner& runner) const;

 private:
  struct Block {
    std::string name;
    nn::VitBlock layer;
  };

  at::Tensor class_embedding_;  // [width]
  nn::LayerNorm norm_before_;
  std::vector<Block> blocks_;
  nn::LayerNorm norm_after_;
};

}  // namespace contra4::models::onellm
