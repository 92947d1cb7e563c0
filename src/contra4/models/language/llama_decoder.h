// The decoder of LLaMA and its descendants: vectors of tokens (or of anything else that stands in
// their place) to logits.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/models/language/llama_config.h"
#include "contra4/nn/block_runner.h"
#include "contra4/nn/gated_block.h"
#include "contra4/nn/key_value_cache.h"
#include "contra4/nn/placement.h"
#include "contra4/nn/rms_norm.h"
#include "contra4/nn/rotary.h"
#include "contra4/nn/sequences.h"
#include "contra4/tensor/checkpoint.h"

namespace contra4::models {

// Where a checkpoint has the parts, without ".weight".
struct LlamaNames {
  std::string embeddings;
  std::string norm;
  std::string output;
  std::function<std::string(std::int64_t layer)> layer;  // what all of a layer begins with
  std::function<nn::GatedBlockNames(std::int64_t layer)> block;
};

// As Meta published them, below `prefix` ("llma.").
LlamaNames meta_llama_names(const std::string& prefix);

// The keys and values of all layers, each on the device of its layer.
struct LlamaCache {
  nn::CacheShape shape;
  std::vector<nn::KeyValueCache> layers;

  // As KeyValueCache::branch.
  LlamaCache branch(const std::vector<std::int64_t>& parents, std::int64_t past,
                    std::int64_t capacity) const;
};

// Immutable: caches hold what changes.
class LlamaDecoder {
 public:
  // Layers are dealt evenly over `devices`, in order: the first has the embeddings too, the last
  // the output. Throws as load_weight().
  LlamaDecoder(const tensor::Checkpoint& checkpoint, const LlamaConfig& config,
               const LlamaNames& names, std::span<const at::Device> devices, at::ScalarType dtype);

  LlamaCache new_cache(std::int64_t num_sequences, std::int64_t capacity) const;

  // -> [ids, width] on the first device. Ids are below config().vocabulary_size.
  at::Tensor embed(std::span<const std::int64_t> ids) const;
  // What the last layer gives for new rows, which are added to the cache.
  //   x        [rows of groups, width] on the first device; spent
  //   returns  [rows of groups, width] on the last device
  at::Tensor forward(at::Tensor x, const std::vector<nn::CacheGroup>& groups,
                     LlamaCache& cache) const;
  // The same of whole sequences without a cache, through which gradients go: positions count from 0
  // in each. Layers, of one device, go through `runner` by LlamaNames::layer.
  //   x        [num_rows(groups), width]
  //   wanted   [n] int64 on the device: rows of which the outcome is wanted; undefined: all
  //   returns  [n or num_rows(groups), width]
  at::Tensor forward_sequences(at::Tensor x, const nn::SequenceGroups& groups,
                               const at::Tensor& wanted, nn::BlockRunner& runner) const;
  // [n, width] of forward() -> [n, vocabulary_size] float32, float64 for float64
  at::Tensor logits(const at::Tensor& rows) const;

  const LlamaConfig& config() const { return config_; }
  at::Device first_device() const { return layers_.front().device; }
  at::Device last_device() const { return layers_.back().device; }

 private:
  struct Layer {
    std::string name;
    at::Device device;
    nn::GatedBlock block;
  };

  LlamaConfig config_;
  at::ScalarType dtype_;
  at::Tensor embeddings_;  // [vocabulary_size, width]
  std::vector<Layer> layers_;
  std::vector<std::pair<at::Device, nn::Rotary>> rotaries_;  // one a device
  nn::RmsNorm norm_;
  at::Tensor output_;  // [vocabulary_size, width]
};

}  // namespace contra4::models
