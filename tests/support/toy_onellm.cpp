#include "tests/support/toy_onellm.h"

#include <cmath>
#include <fstream>
#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <utility>

#include "tests/support/toy_sentence_piece.h"

namespace contra4::testing {

namespace {

constexpr std::int64_t kNumExperts = 3;
constexpr std::int64_t kClipFeedForward = 4;  // widths
constexpr std::int64_t kResamplerFeedForward = 48;
constexpr std::int64_t kRouterWidth = 16;

class Writer {
 public:
  explicit Writer(std::uint64_t seed) : random_(seed) {}

  // Uniform around `centre`, of a spread that keeps activations of the size of their input.
  void add(const std::string& name, std::vector<std::int64_t> shape, float centre = 0) {
    const std::int64_t count =
        std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
    const auto inputs = static_cast<float>(shape.size() < 2 ? 16 : count / shape[0]);
    const float spread = 3.0F / std::sqrt(inputs);
    std::vector<float> values;
    for (std::int64_t i = 0; i < count; ++i) {
      // Bits, not a distribution: the same in every standard library.
      const float uniform = static_cast<float>(random_() >> 40U) / (1 << 24) - 0.5F;
      values.push_back(centre + spread * uniform);
    }
    tensors_.push_back(stored_float32("llma." + name, std::move(shape), values));
  }
  void add_linear(const std::string& name, std::int64_t in, std::int64_t out) {
    add(name + ".weight", {out, in});
    add(name + ".bias", {out});
  }
  void add_norm(const std::string& name, std::int64_t width) {
    add(name + ".weight", {width}, 1);
    add(name + ".bias", {width});
  }
  void add_gated_block(const std::string& name, std::int64_t width, std::int64_t inner) {
    for (const char* part : {"wq", "wk", "wv", "wo"}) {
      add(name + ".attention." + part + ".weight", {width, width});
    }
    add(name + ".feed_forward.w1.weight", {inner, width});
    add(name + ".feed_forward.w3.weight", {inner, width});
    add(name + ".feed_forward.w2.weight", {width, inner});
    add(name + ".attention_norm.weight", {width}, 1);
    add(name + ".ffn_norm.weight", {width}, 1);
  }
  std::vector<StoredTensor> take() { return std::move(tensors_); }

 private:
  std::mt19937_64 random_;
  std::vector<StoredTensor> tensors_;
};

void add_clip(Writer& writer, const ToyOneLlm& sizes) {
  const std::int64_t width = sizes.clip_width;
  writer.add("clip.visual.class_embedding", {width});
  writer.add("clip.visual.positional_embedding", {257, width});
  writer.add("clip.visual.conv1.weight", {width, 3, 14, 14});
  writer.add_norm("clip.visual.ln_pre", width);
  writer.add_norm("clip.visual.ln_post", width);
  for (std::int64_t i = 0; i < sizes.num_clip_layers; ++i) {
    const std::string block = "clip.visual.transformer.resblocks." + std::to_string(i);
    writer.add_norm(block + ".ln_1", width);
    writer.add_norm(block + ".ln_2", width);
    writer.add(block + ".attn.in_proj_weight", {3 * width, width});
    writer.add(block + ".attn.in_proj_bias", {3 * width});
    writer.add_linear(block + ".attn.out_proj", width, width);
    writer.add_linear(block + ".mlp.c_fc", width, kClipFeedForward * width);
    writer.add_linear(block + ".mlp.c_proj", kClipFeedForward * width, width);
  }
}

void add_modality(Writer& writer, const ToyOneLlm& sizes, const std::string& name) {
  writer.add("resample_tokens." + name, {1, sizes.num_latents, sizes.clip_width});
  writer.add_linear("routers." + name + ".fc1", sizes.clip_width, kRouterWidth);
  writer.add_linear("routers." + name + ".fc2", kRouterWidth, kNumExperts);
  writer.add_linear("clip_proj1." + name + ".0", sizes.clip_width, sizes.clip_width);
  writer.add_norm("clip_proj1." + name + ".1", sizes.clip_width);
  writer.add_linear("clip_proj2." + name + ".0", sizes.clip_width, sizes.width);
  writer.add_norm("clip_proj2." + name + ".1", sizes.width);
  writer.add("start_tag." + name, {1, 1, sizes.width});
  writer.add("end_tag." + name, {1, 1, sizes.width});
}

}  // namespace

std::vector<StoredTensor> toy_onellm_weights(const ToyOneLlm& sizes) {
  Writer writer(sizes.seed);
  const auto vocabulary_size = static_cast<std::int64_t>(toy_pieces().size());
  writer.add("tok_embeddings.weight", {vocabulary_size, sizes.width});
  for (std::int64_t i = 0; i < sizes.num_layers; ++i) {
    writer.add_gated_block("layers." + std::to_string(i), sizes.width, sizes.feed_forward_width);
  }
  writer.add("norm.weight", {sizes.width}, 1);
  writer.add("output.weight", {vocabulary_size, sizes.width});
  add_clip(writer, sizes);
  for (std::int64_t e = 0; e < kNumExperts; ++e) {
    for (std::int64_t i = 0; i < sizes.num_resampler_layers; ++i) {
      writer.add_gated_block("resample_layers." + std::to_string(e) + "." + std::to_string(i),
                             sizes.clip_width, kResamplerFeedForward);
    }
  }
  for (const char* name : {"image", "video", "audio", "point"}) add_modality(writer, sizes, name);
  writer.add("conv1.audio.weight", {sizes.clip_width, 1, 16, 16});
  writer.add("conv1.audio.bias", {sizes.clip_width});
  writer.add("conv1.point.conv1.weight", {sizes.clip_width, 6, 1, 1});
  writer.add("conv1.point.conv1.bias", {sizes.clip_width});
  writer.add("positional_embedding.audio", {1213, sizes.clip_width});
  writer.add("positional_embedding.point", {1025, sizes.clip_width});
  return writer.take();
}

void write_toy_onellm(const std::filesystem::path& folder, const ToyOneLlm& sizes) {
  write_safetensors(folder / "model.safetensors", toy_onellm_weights(sizes));
  std::ofstream(folder / "params.json")
      << "{\"dim\": " << sizes.width << ", \"n_heads\": " << sizes.num_heads
      << ", \"n_layers\": " << sizes.num_layers
      << ", \"multiple_of\": 32, \"norm_eps\": 1e-05, \"vocab_size\": -1}";
  write_toy_sentence_piece(folder / "tokenizer.model");
}

}  // namespace contra4::testing
