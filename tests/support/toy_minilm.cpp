#include "tests/support/toy_minilm.h"

#include <fstream>
#include <functional>
#include <numeric>
#include <random>

namespace contra4::testing {

std::vector<std::string> toy_vocabulary() {
  std::vector<std::string> vocabulary = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  for (char letter = 'a'; letter <= 'z'; ++letter) vocabulary.emplace_back(1, letter);
  for (char letter = 'a'; letter <= 'z'; ++letter) vocabulary.push_back(std::string("##") + letter);
  return vocabulary;
}

std::vector<StoredTensor> toy_weights(const ToyMiniLm& sizes) {
  std::mt19937_64 random(sizes.seed);
  std::vector<StoredTensor> tensors;
  const auto add = [&](const std::string& name, std::vector<std::int64_t> shape, float centre) {
    const std::int64_t count =
        std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
    std::vector<float> values;
    for (std::int64_t i = 0; i < count; ++i) {
      // Bits, not a distribution: the same in every standard library.
      values.push_back(centre + static_cast<float>(random() >> 40U) / (1 << 24) - 0.5F);
    }
    tensors.push_back(stored_float32(name, std::move(shape), values));
  };
  const auto add_linear = [&](const std::string& name, std::int64_t in, std::int64_t out) {
    add(name + ".weight", {out, in}, 0);
    add(name + ".bias", {out}, 0);
  };
  const auto add_norm = [&](const std::string& name) {
    add(name + ".weight", {sizes.width}, 1);
    add(name + ".bias", {sizes.width}, 0);
  };
  const auto vocabulary_size = static_cast<std::int64_t>(toy_vocabulary().size());
  add("embeddings.word_embeddings.weight", {vocabulary_size, sizes.width}, 0);
  add("embeddings.position_embeddings.weight", {256, sizes.width}, 0);
  add("embeddings.token_type_embeddings.weight", {2, sizes.width}, 0);
  add_norm("embeddings.LayerNorm");
  for (std::int64_t layer = 0; layer < sizes.num_layers; ++layer) {
    const std::string prefix = "encoder.layer." + std::to_string(layer);
    for (const char* part : {"query", "key", "value"}) {
      add_linear(prefix + ".attention.self." + part, sizes.width, sizes.width);
    }
    add_linear(prefix + ".attention.output.dense", sizes.width, sizes.width);
    add_norm(prefix + ".attention.output.LayerNorm");
    add_linear(prefix + ".intermediate.dense", sizes.width, sizes.feed_forward_width);
    add_linear(prefix + ".output.dense", sizes.feed_forward_width, sizes.width);
    add_norm(prefix + ".output.LayerNorm");
  }
  return tensors;
}

std::string toy_config_json(const ToyMiniLm& sizes) {
  return "{\"model_type\": \"bert\", \"hidden_act\": \"gelu\", \"layer_norm_eps\": 1e-12, "
         "\"vocab_size\": " +
         std::to_string(toy_vocabulary().size()) +
         ", \"hidden_size\": " + std::to_string(sizes.width) +
         ", \"num_hidden_layers\": " + std::to_string(sizes.num_layers) +
         ", \"num_attention_heads\": " + std::to_string(sizes.num_heads) +
         ", \"intermediate_size\": " + std::to_string(sizes.feed_forward_width) +
         ", \"max_position_embeddings\": 256, \"type_vocab_size\": 2}";
}

void write_toy_minilm(const std::filesystem::path& folder, const ToyMiniLm& sizes) {
  std::filesystem::create_directories(folder);
  write_safetensors(folder / "model.safetensors", toy_weights(sizes));
  std::ofstream(folder / "config.json") << toy_config_json(sizes);
  std::ofstream vocabulary(folder / "vocab.txt");
  for (const std::string& token : toy_vocabulary()) vocabulary << token << '\n';
}

}  // namespace contra4::testing
