#include "contra4/models/language/llama_decoder.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/nn/attention.h"
#include "contra4/nn/product.h"
#include "contra4/nn/recording.h"

namespace contra4::models {

LlamaNames meta_llama_names(const std::string& prefix) {
  return {
      .embeddings = prefix + "tok_embeddings",
      .norm = prefix + "norm",
      .output = prefix + "output",
      .layer = [prefix](std::int64_t layer) { return fmt::format("{}layers.{}", prefix, layer); },
      .block =
          [prefix](std::int64_t layer) {
            return nn::meta_block_names(fmt::format("{}layers.{}", prefix, layer));
          }};
}

LlamaCache LlamaCache::branch(const std::vector<std::int64_t>& parents, std::int64_t past,
                              std::int64_t capacity) const {
  LlamaCache branched;
  branched.shape = shape;
  branched.shape.num_sequences = std::ssize(parents);
  branched.shape.capacity = capacity;
  const at::Tensor rows = at::tensor(parents, at::kLong);
  for (const nn::KeyValueCache& layer : layers) {
    branched.layers.push_back(layer.branch(rows, past, branched.shape));
  }
  return branched;
}

LlamaDecoder::LlamaDecoder(const tensor::Checkpoint& checkpoint, const LlamaConfig& config,
                           const LlamaNames& names, std::span<const at::Device> devices,
                           at::ScalarType dtype)
    : config_(config), dtype_(dtype) {
  CONTRA4_CHECK(!devices.empty() && config.num_layers > 0, "a device and a layer");
  if (config_.vocabulary_size == 0) {
    const auto stored = checkpoint.find(names.embeddings + ".weight");
    if (stored && stored->dim() == 2) config_.vocabulary_size = stored->size(0);
  }
  const nn::Placement first{.device = devices.front(), .dtype = dtype};
  const std::vector<std::int64_t> shape = {config_.vocabulary_size, config.width};
  embeddings_ = nn::load_weight(checkpoint, names.embeddings + ".weight", shape, first);
  const std::int64_t num_devices = std::ssize(devices);
  for (std::int64_t i = 0; i < config.num_layers; ++i) {
    const auto device = devices[static_cast<std::size_t>(i * num_devices / config.num_layers)];
    layers_.push_back({.name = names.layer(i),
                       .device = device,
                       .block = nn::GatedBlock(checkpoint, names.block(i),
                                               {.width = config.width,
                                                .feed_forward_width = config.feed_forward_width,
                                                .norm_eps = config.norm_eps},
                                               {.device = device, .dtype = dtype})});
    if (rotaries_.empty() || rotaries_.back().first != device) {
      rotaries_.emplace_back(device, nn::Rotary({.head_width = config.head_width(),
                                                 .num_positions = config.max_positions,
                                                 .base = config.rotary_base,
                                                 .layout = config.rotary_layout},
                                                device, dtype));
    }
  }
  const nn::Placement last{.device = last_device(), .dtype = dtype};
  norm_ = nn::load_rms_norm(checkpoint, names.norm, {.width = config.width, .eps = config.norm_eps},
                            last);
  output_ = nn::load_weight(checkpoint, names.output + ".weight", shape, last);
}

LlamaCache LlamaDecoder::new_cache(std::int64_t num_sequences, std::int64_t capacity) const {
  CONTRA4_CHECK(capacity <= config_.max_positions, "positions that the model has");
  LlamaCache cache;
  cache.shape = {.num_sequences = num_sequences,
                 .capacity = capacity,
                 .num_heads = config_.num_heads,
                 .head_width = config_.head_width()};
  for (const Layer& layer : layers_) {
    cache.layers.emplace_back(cache.shape, nn::Placement{.device = layer.device, .dtype = dtype_});
  }
  return cache;
}

at::Tensor LlamaDecoder::embed(std::span<const std::int64_t> ids) const {
  for (const std::int64_t id : ids) {
    CONTRA4_CHECK(id >= 0 && id < config_.vocabulary_size, "a token of the vocabulary");
  }
  const at::Tensor rows = at::tensor(at::ArrayRef<std::int64_t>(ids.data(), ids.size()), at::kLong);
  return at::embedding(embeddings_, rows.to(embeddings_.device()));
}

at::Tensor LlamaDecoder::forward(at::Tensor x, const std::vector<nn::CacheGroup>& groups,
                                 LlamaCache& cache) const {
  CONTRA4_CHECK(cache.layers.size() == layers_.size(), "a cache of this model");
  const std::int64_t width = config_.width;
  std::size_t part = 0;
  std::optional<nn::CacheStep> step;
  nn::RotaryAngles angles;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    if (!step || rotaries_[part].first != layer.device) {
      if (step) ++part;
      x = x.to(layer.device);
      step.emplace(groups, cache.shape, layer.device);
      angles = rotaries_[part].second.angles(step->positions());
    }
    const at::Tensor qkv = layer.block.queries_keys_values(x);
    rotaries_[part].second.rotate(qkv, 2 * width, angles);
    x = layer.block.finish(x, cache.layers[i].attend(qkv, *step));
  }
  return x;
}

at::Tensor LlamaDecoder::forward_sequences(at::Tensor x, const nn::SequenceGroups& groups,
                                           const at::Tensor& wanted,
                                           nn::BlockRunner& runner) const {
  CONTRA4_CHECK(rotaries_.size() == 1 && x.device() == first_device(), "layers of one device");
  std::vector<at::Tensor> positions;
  for (const nn::SequenceGroup& group : groups) {
    CONTRA4_CHECK(group.length <= config_.max_positions, "positions that the model has");
    positions.push_back(at::arange(group.length, at::kLong).repeat({group.count}));
  }
  const nn::Rotary& rotary = rotaries_.front().second;
  const nn::RotaryAngles angles = rotary.angles(at::cat(positions).to(x.device()));
  for (const Layer& layer : layers_) {
    const bool is_last = &layer == &layers_.back();
    x = runner.run(
        layer.name, x,
        [&layer, &rotary, angles, groups, wanted, is_last, this](const at::Tensor& rows) {
          const at::Tensor qkv =
              rotary.rotate(layer.block.queries_keys_values(rows), 2 * config_.width, angles);
          const at::Tensor attended =
              nn::self_attention(qkv, groups, {.num_heads = config_.num_heads, .is_causal = true});
          if (!is_last || !wanted.defined()) return layer.block.finish(rows, attended);
          return layer.block.finish(rows.index_select(0, wanted), attended.index_select(0, wanted));
        });
  }
  return x;
}

at::Tensor LlamaDecoder::logits(const at::Tensor& rows) const {
  return nn::product(norm_(rows), output_).to(nn::at_least_float32(dtype_));
}

}  // namespace contra4::models
