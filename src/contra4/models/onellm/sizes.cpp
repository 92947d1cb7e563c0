#include "contra4/models/onellm/sizes.h"

#include <algorithm>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/suggest.h"
#include "contra4/nn/linear.h"

namespace contra4::models::onellm {

namespace {

constexpr std::array<std::string_view, 4> kOtherModalities = {"rgbd", "rgbn", "fmri", "imu"};

// Parts of a OneLLM behind the prefix; a name begins with one of them.
constexpr std::array<std::string_view, 14> kParts = {"tok_embeddings.",
                                                     "layers.",
                                                     "norm.",
                                                     "output.",
                                                     "clip.",
                                                     "resample_layers.",
                                                     "resample_tokens.",
                                                     "routers.",
                                                     "clip_proj1.",
                                                     "clip_proj2.",
                                                     "start_tag.",
                                                     "end_tag.",
                                                     "conv1.",
                                                     "positional_embedding."};

std::vector<std::int64_t> shape_of(const tensor::Checkpoint& checkpoint, const std::string& name,
                                   std::size_t num_dimensions) {
  const std::string full = std::string(kPrefix) + name;
  const io::TensorEntry* found = checkpoint.find_entry(full);
  if (found == nullptr) {
    const auto nearest = find_nearest(full, checkpoint.names());
    throw Exception(
        ErrorCode::kNotFound,
        fmt::format("{}: no tensor '{}'{}; is this a OneLLM checkpoint?", checkpoint.description(),
                    full, nearest ? fmt::format(", the nearest is '{}'", *nearest) : ""));
  }
  if (found->shape.size() != num_dimensions) {
    throw Exception(
        ErrorCode::kDataLoss,
        fmt::format("{}: tensor '{}' has {} dimensions, wanted {}", checkpoint.description(), full,
                    found->shape.size(), num_dimensions));
  }
  return found->shape;
}

// How many of name(0), name(1), ... there are.
template <class Name>
std::int64_t count(const tensor::Checkpoint& checkpoint, const Name& name) {
  std::int64_t number = 0;
  while (checkpoint.find_entry(std::string(kPrefix) + name(number)) != nullptr) ++number;
  return number;
}

}  // namespace

std::string_view name_of(Modality modality) {
  return modality == Modality::kPointCloud ? "point" : to_string(modality);
}

Sizes read_sizes(const tensor::Checkpoint& checkpoint, const LlamaConfig& language) {
  Sizes sizes;
  sizes.language = language;
  const auto conv = shape_of(checkpoint, "clip.visual.conv1.weight", 4);
  sizes.width = conv[0];
  sizes.patch_side = conv[3];
  sizes.num_patches = shape_of(checkpoint, "clip.visual.positional_embedding", 2)[0] - 1;
  const auto clip_layer = [](std::int64_t layer) {
    return fmt::format("clip.visual.transformer.resblocks.{}.mlp.c_fc.weight", layer);
  };
  sizes.num_clip_layers = count(checkpoint, clip_layer);
  sizes.clip_feed_forward_width = shape_of(checkpoint, clip_layer(0), 2)[0];
  sizes.num_clip_heads = sizes.width / kClipHeadWidth;
  const auto expert = [](std::int64_t index) {
    return fmt::format("resample_layers.{}.0.feed_forward.w1.weight", index);
  };
  sizes.num_experts = count(checkpoint, expert);
  sizes.num_resampler_layers = count(checkpoint, [](std::int64_t layer) {
    return fmt::format("resample_layers.0.{}.feed_forward.w1.weight", layer);
  });
  sizes.resampler_feed_forward_width = shape_of(checkpoint, expert(0), 2)[0];
  sizes.router_width = shape_of(checkpoint, "routers.image.fc1.weight", 2)[0];
  sizes.num_latents = shape_of(checkpoint, "resample_tokens.image", 3)[1];
  if (sizes.width < kClipHeadWidth || sizes.width % kClipHeadWidth != 0 ||
      sizes.width % kNumResamplerHeads != 0 || sizes.num_latents < 1) {
    throw Exception(
        ErrorCode::kDataLoss,
        fmt::format("{}: an encoder of width {} with {} latent rows; a width is a "
                    "multiple of {}",
                    checkpoint.description(), sizes.width, sizes.num_latents, kClipHeadWidth));
  }
  const auto embeddings = shape_of(checkpoint, "tok_embeddings.weight", 2);
  if (embeddings[1] != language.width) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("{}: the language model has width {}, its configuration says {}; "
                                "name the right params.json",
                                checkpoint.description(), embeddings[1], language.width));
  }
  if (sizes.language.vocabulary_size == 0) sizes.language.vocabulary_size = embeddings[0];
  const std::int64_t num_layers = count(checkpoint, [](std::int64_t layer) {
    return fmt::format("layers.{}.attention_norm.weight", layer);
  });
  if (num_layers != language.num_layers) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("{}: {} layers of the language model, its configuration says {}; "
                                "name the right params.json",
                                checkpoint.description(), num_layers, language.num_layers));
  }
  return sizes;
}

std::vector<std::string> find_unexpected(const tensor::Checkpoint& checkpoint) {
  std::vector<std::string> unexpected;
  for (const std::string& name : checkpoint.names()) {
    if (name == nn::kLoraScale) continue;
    const bool is_known = name.starts_with(kPrefix) &&
                          std::any_of(kParts.begin(), kParts.end(), [&](std::string_view part) {
                            return std::string_view(name).substr(kPrefix.size()).starts_with(part);
                          });
    if (!is_known) unexpected.push_back(name);
  }
  return unexpected;
}

bool is_used(std::string_view name) {
  if (name == nn::kLoraScale) return true;
  if (!name.starts_with(kPrefix)) return false;
  name.remove_prefix(kPrefix.size());
  if (name.starts_with("clip.")) {
    return name.starts_with("clip.visual.") && name != "clip.visual.proj";
  }
  if (std::none_of(kParts.begin(), kParts.end(),
                   [&](std::string_view part) { return name.starts_with(part); })) {
    return false;
  }
  return std::none_of(kOtherModalities.begin(), kOtherModalities.end(),
                      [&](std::string_view other) {
                        return name.find(fmt::format(".{}", other)) != std::string_view::npos;
                      });
}

}  // namespace contra4::models::onellm
