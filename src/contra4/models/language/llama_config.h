// Sizes of a LLaMA decoder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "contra4/base/error.h"
#include "contra4/io/json.h"
#include "contra4/nn/rotary.h"

namespace contra4::models {

struct LlamaConfig {
  std::int64_t width = 4096;
  std::int64_t num_layers = 32;
  std::int64_t num_heads = 32;  // divides width into even parts
  std::int64_t feed_forward_width = 11008;
  std::int64_t vocabulary_size = 0;  // 0: as many rows as the checkpoint's embeddings have
  std::int64_t max_positions = 2048;
  double norm_eps = 1e-5;
  double rotary_base = 10000;
  nn::RotaryLayout rotary_layout = nn::RotaryLayout::kInterleaved;

  std::int64_t head_width() const { return width / num_heads; }
};

// The width of the feed-forward layer that a width has: two thirds of four times as much, up to the
// next multiple. Source: csuhan/OneLLM 8587a47, model/LLM/onellm.py.
std::int64_t gated_width(std::int64_t width, std::int64_t multiple_of);

// params.json as Meta published it: dim, n_layers, n_heads, multiple_of, norm_eps; vocab_size -1
// where the tokenizer decides. kInvalidArgument with `what` and the key.
Result<LlamaConfig> parse_llama_params(const io::JsonValue& json, std::string_view what);
// Throws kNotFound, kDataLoss, kInvalidArgument.
LlamaConfig read_llama_params(const std::filesystem::path& path);

}  // namespace contra4::models
