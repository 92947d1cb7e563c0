// Sizes of a OneLLM: the language model's from its configuration, the encoder's from the shapes of
// its tensors.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/data/modality.h"
#include "contra4/models/language/llama_config.h"
#include "contra4/tensor/checkpoint.h"

namespace contra4::models::onellm {

// All names of a OneLLM checkpoint begin with it.
inline constexpr std::string_view kPrefix = "llma.";

struct Sizes {
  LlamaConfig language;
  // CLIP's vision transformer; its width is the resampler's too.
  std::int64_t width = 0;
  std::int64_t num_clip_layers = 0;
  std::int64_t num_clip_heads = 0;
  std::int64_t clip_feed_forward_width = 0;
  std::int64_t patch_side = 0;   // pixels
  std::int64_t num_patches = 0;  // of a picture
  // The resampler.
  std::int64_t num_experts = 0;
  std::int64_t num_resampler_layers = 0;
  std::int64_t resampler_feed_forward_width = 0;
  std::int64_t router_width = 0;
  std::int64_t num_latents = 0;  // rows that the language model is given of a medium
};

inline constexpr std::int64_t kClipHeadWidth = 64;
inline constexpr std::int64_t kNumResamplerHeads = 16;

// "pc" is "point" there, the others are as in the data files.
std::string_view name_of(Modality modality);

// Throws kNotFound for a tensor that tells a size and is not there, kDataLoss for sizes that do
// not fit together.
Sizes read_sizes(const tensor::Checkpoint& checkpoint, const LlamaConfig& language);

// Names of `checkpoint` that no OneLLM has. Those of modalities that are not asked about here, and
// of CLIP's text side, are known.
std::vector<std::string> find_unexpected(const tensor::Checkpoint& checkpoint);

// Whether a tensor takes part in what is computed here.
bool is_used(std::string_view name);

}  // namespace contra4::models::onellm
