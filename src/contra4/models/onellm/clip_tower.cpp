#include "contra4/models/onellm/clip_tower.h"

#include <string>

#include <fmt/format.h>

namespace contra4::models::onellm {

namespace {

// The product of queries, keys and values has a name of its own: in_proj_weight.
nn::Linear load_joined(const tensor::Checkpoint& checkpoint, const std::string& name,
                       std::int64_t width, const nn::Placement& placement) {
  return {.weight = nn::load_weight(checkpoint, name + "_weight", {3 * width, width}, placement),
          .bias = nn::load_weight(checkpoint, name + "_bias", {3 * width}, placement)};
}

}  // namespace

ClipTower::ClipTower(const tensor::Checkpoint& checkpoint, const Sizes& sizes,
                     const nn::Placement& placement) {
  const std::string prefix = std::string(kPrefix) + "clip.visual.";
  const std::int64_t width = sizes.width;
  const nn::LayerNormShape norm{.width = width};
  class_embedding_ = nn::load_weight(checkpoint, prefix + "class_embedding", {width}, placement);
  norm_before_ = nn::load_layer_norm(checkpoint, prefix + "ln_pre", norm, placement);
  for (std::int64_t i = 0; i < sizes.num_clip_layers; ++i) {
    const std::string block = fmt::format("{}transformer.resblocks.{}.", prefix, i);
    const auto layer = [&](const char* name, std::int64_t in, std::int64_t out) {
      return nn::load_linear(checkpoint, block + name, {.in = in, .out = out}, placement);
    };
    blocks_.push_back(
        {.num_heads = sizes.num_clip_heads,
         .activation = nn::Activation::kQuickGelu,
         .attention_norm = nn::load_layer_norm(checkpoint, block + "ln_1", norm, placement),
         .query_key_value = load_joined(checkpoint, block + "attn.in_proj", width, placement),
         .attention_output = layer("attn.out_proj", width, width),
         .feed_forward_norm = nn::load_layer_norm(checkpoint, block + "ln_2", norm, placement),
         .feed_forward_in = layer("mlp.c_fc", width, sizes.clip_feed_forward_width),
         .feed_forward_out = layer("mlp.c_proj", sizes.clip_feed_forward_width, width)});
  }
  norm_after_ = nn::load_layer_norm(checkpoint, prefix + "ln_post", norm, placement);
}

at::Tensor ClipTower::forward(const at::Tensor& tokens, const at::Tensor& positions) const {
  const std::int64_t batch = tokens.size(0);
  const std::int64_t length = tokens.size(1);
  at::Tensor x = positions.unsqueeze(0).repeat({batch, 1, 1});
  x.select(1, 0).add_(class_embedding_);
  x.narrow(1, 1, length).add_(tokens);
  x = norm_before_(x).flatten(0, 1);
  const nn::SequenceGroups groups = {{.count = batch, .length = length + 1}};
  for (const nn::VitBlock& block : blocks_) block.apply(x, groups);
  return norm_after_(x).unflatten(0, {batch, length + 1});
}

}  // namespace contra4::models::onellm
