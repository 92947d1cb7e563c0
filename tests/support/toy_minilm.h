// A folder that looks like all-MiniLM-L6-v2 with small random weights: the embedding model where
// the real one is not wanted.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/safetensors_file.h"

namespace contra4::testing {

struct ToyMiniLm {
  std::int64_t width = 8;
  std::int64_t num_heads = 2;
  std::int64_t num_layers = 2;
  std::int64_t feed_forward_width = 16;
  std::uint64_t seed = 1;
};

// [PAD] [UNK] [CLS] [SEP] [MASK], the letters a to z and the same as inner pieces.
std::vector<std::string> toy_vocabulary();
// All tensors of the encoder, by name.
std::vector<StoredTensor> toy_weights(const ToyMiniLm& sizes);
std::string toy_config_json(const ToyMiniLm& sizes);
// model.safetensors, vocab.txt and config.json.
void write_toy_minilm(const std::filesystem::path& folder, const ToyMiniLm& sizes = {});

}  // namespace contra4::testing
