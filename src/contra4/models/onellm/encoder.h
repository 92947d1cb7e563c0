// Media of all modalities to the rows that the language model is shown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/data/modality.h"
#include "contra4/models/onellm/clip_tower.h"
#include "contra4/models/onellm/resampler.h"
#include "contra4/models/onellm/sizes.h"
#include "contra4/models/scene_model.h"
#include "contra4/nn/block_runner.h"
#include "contra4/nn/placement.h"
#include "contra4/tensor/checkpoint.h"

namespace contra4::models::onellm {

// Source: csuhan/OneLLM 8587a47, model/LLM/onellm.py.
class Encoder {
 public:
  // Throws as load_weight().
  Encoder(const tensor::Checkpoint& checkpoint, const Sizes& sizes, const nn::Placement& placement);

  // Media of one modality:
  //   picture  {[3, 224, 224]}
  //   video    {[frames, 3, 224, 224]}; any number of frames, whose tokens are averaged
  //   sound    {[1, 128, 1024]}: frequency by time
  //   points   {[n, 6], [centres, group size] int64}: see group_points()
  // float32 on the CPU. -> [media, num_latents, width of the language model]
  at::Tensor forward(Modality modality, std::span<const PreparedMedium> media) const;

  // Its two halves. CLIP, whose weights are never trained, and the stems that lead to it:
  // [media, tokens, width], the class token first.
  at::Tensor clip_features(Modality modality, std::span<const PreparedMedium> media,
                           nn::BlockRunner& runner) const;
  // What makes rows for the language model of it; the layers of the resampler go through `runner`.
  at::Tensor resample(Modality modality, const at::Tensor& features, nn::BlockRunner& runner) const;

 private:
  at::Tensor picture_tokens(const at::Tensor& pictures) const;
  at::Tensor sound_tokens(const at::Tensor& sounds) const;
  at::Tensor point_tokens(std::span<const PreparedMedium> media) const;
  at::Tensor video_features(const PreparedMedium& medium, nn::BlockRunner& runner) const;

  Sizes sizes_;
  nn::Placement placement_;
  at::Tensor picture_filter_;     // [width, 3, patch, patch]
  at::Tensor picture_positions_;  // [patches + 1, width]
  at::Tensor sound_filter_;       // [width, 1, 16, 16]
  at::Tensor sound_bias_;         // [width]
  at::Tensor sound_positions_;    // [1213, width]
  at::Tensor point_weight_;       // [width, 6, 1, 1]
  at::Tensor point_bias_;         // [width]
  at::Tensor point_positions_;    // [1025, width]
  ClipTower clip_;
  Resampler resampler_;
};

// Media of a modality that a device likes to be given at once.
std::size_t encode_batch_size(Modality modality, at::Device device);

}  // namespace contra4::models::onellm
