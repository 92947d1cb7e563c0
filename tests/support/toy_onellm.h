// A folder that looks like OneLLM with small random weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "tests/support/safetensors_file.h"

namespace contra4::testing {

struct ToyOneLlm {
  std::int64_t width = 32;  // of the language model
  std::int64_t num_heads = 2;
  std::int64_t num_layers = 2;
  std::int64_t feed_forward_width = 96;  // two thirds of four widths, in multiples of 32
  std::int64_t clip_width = 64;
  std::int64_t num_clip_layers = 1;
  std::int64_t num_resampler_layers = 2;
  std::int64_t num_latents = 5;
  std::uint64_t seed = 1;
};

// All tensors, by their published names.
std::vector<StoredTensor> toy_onellm_weights(const ToyOneLlm& sizes);
// model.safetensors, params.json and tokenizer.model (toy_sentence_piece.h).
void write_toy_onellm(const std::filesystem::path& folder, const ToyOneLlm& sizes = {});

}  // namespace contra4::testing
