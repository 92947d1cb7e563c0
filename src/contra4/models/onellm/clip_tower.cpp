#include "contra4/models/onellm/clip_tower.h"

#include <string>

#include <ATen/ops/cat.h>
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
    const std::string name = fmt::format("{}transformer.resblocks.{}", prefix, i);
    const std::string block = name + ".";
    const auto layer = [&](const char* part, std::int64_t in, std::int64_t out) {
      return nn::load_linear(checkpoint, block + part, {.in = in, .out = out}, placement);
    };
    blocks_.push_back(
        {.name = name,
         .layer = {
             .num_heads = sizes.num_clip_heads,
             .activation = nn::Activation::kQuickGelu,
             .attention_norm = nn::load_layer_norm(checkpoint, block + "ln_1", norm, placement),
             .query_key_value = load_joined(checkpoint, block + "attn.in_proj", width, placement),
             .attention_output = layer("attn.out_proj", width, width),
             .feed_forward_norm = nn::load_layer_norm(checkpoint, block + "ln_2", norm, placement),
             .feed_forward_in = layer("mlp.c_fc", width, sizes.clip_feed_forward_width),
             .feed_forward_out = layer("mlp.c_proj", sizes.clip_feed_forward_width, width)}});
  }
  norm_after_ = nn::load_layer_norm(checkpoint, prefix + "ln_post", norm, placement);
}

at::Tensor ClipTower::forward(const at::Tensor& tokens, const at::Tensor& positions,
                              nn::BlockRunner& runner) const {
  const std::int64_t batch = tokens.size(0);
  const std::int64_t length = tokens.size(1) + 1;
  at::Tensor x =
      at::cat({class_embedding_.expand({batch, 1, class_embedding_.size(0)}), tokens}, 1);
  x = norm_before_(x.add_(positions)).flatten(0, 1);
  const nn::SequenceGroups groups = {{.count = batch, .length = length}};
  for (const Block& block : blocks_) {
    x = runner.run(block.name, x, [&block, groups](const at::Tensor& rows) {
      return block.layer.forward(rows, groups);
    });
  }
  return norm_after_(x).unflatten(0, {batch, length});
}

}  // namespace contra4::models::onellm
