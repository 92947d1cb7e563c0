#include "contra4/models/onellm/encoder.h"

#include <algorithm>
#include <string>

#include <ATen/ops/amax.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/stack.h>

#include "contra4/base/error.h"
#include "contra4/models/onellm/prepare.h"
#include "contra4/nn/product.h"
#include "contra4/nn/recording.h"

namespace contra4::models::onellm {

namespace {

constexpr std::int64_t kSoundFilter = 16;
constexpr std::int64_t kSoundStride = 10;
constexpr std::int64_t kNumSoundTokens = std::int64_t{12} * 101;
constexpr std::int64_t kNumPointGroups = 1024;
// Pictures through CLIP at once: what lies between its layers stays within some hundred MB.
constexpr std::int64_t kMaxPictures = 64;

std::string name(std::string_view rest) {
  return std::string(kPrefix).append(rest);
}

// [batch, width, height, width] of a convolution -> [batch, tokens, width], row by row.
at::Tensor tokens_of(const at::Tensor& map) {
  return map.flatten(2).transpose(1, 2);
}

}  // namespace

Encoder::Encoder(const tensor::Checkpoint& checkpoint, const Sizes& sizes,
                 const nn::Placement& placement)
    : sizes_(sizes),
      placement_(placement),
      clip_(checkpoint, sizes, placement),
      resampler_(checkpoint, sizes, placement) {
  const std::int64_t width = sizes.width;
  const auto load = [&](std::string_view rest, const std::vector<std::int64_t>& shape) {
    return nn::load_weight(checkpoint, name(rest), shape, placement);
  };
  picture_filter_ =
      load("clip.visual.conv1.weight", {width, 3, sizes.patch_side, sizes.patch_side});
  picture_positions_ = load("clip.visual.positional_embedding", {sizes.num_patches + 1, width});
  sound_filter_ = load("conv1.audio.weight", {width, 1, kSoundFilter, kSoundFilter});
  sound_bias_ = load("conv1.audio.bias", {width});
  sound_positions_ = load("positional_embedding.audio", {kNumSoundTokens + 1, width});
  point_weight_ = load("conv1.point.conv1.weight", {width, 6, 1, 1});
  point_bias_ = load("conv1.point.conv1.bias", {width});
  point_positions_ = load("positional_embedding.point", {kNumPointGroups + 1, width});
}

at::Tensor Encoder::forward(Modality modality, std::span<const PreparedMedium> media) const {
  nn::PlainRunner runner;
  return resample(modality, clip_features(modality, media, runner), runner);
}

at::Tensor Encoder::clip_features(Modality modality, std::span<const PreparedMedium> media,
                                  nn::BlockRunner& runner) const {
  CONTRA4_CHECK(!media.empty(), "no medium");
  for (const PreparedMedium& medium : media) {
    const std::string fault = find_fault(sizes_, modality, medium);
    CONTRA4_CHECK(fault.empty(), fault);
  }
  const auto batch = [&] {
    std::vector<at::Tensor> tensors;
    for (const PreparedMedium& medium : media) tensors.push_back(medium[0]);
    return at::stack(tensors).to(placement_.device, placement_.dtype);
  };
  switch (modality) {
    case Modality::kImage:
      return clip_.forward(picture_tokens(batch()), picture_positions_, runner);
    case Modality::kAudio:
      return clip_.forward(sound_tokens(batch()), sound_positions_, runner);
    case Modality::kPointCloud:
      return clip_.forward(point_tokens(media), point_positions_, runner);
    case Modality::kVideo: {
      std::vector<at::Tensor> features;
      for (const PreparedMedium& medium : media) {
        features.push_back(video_features(medium, runner));
      }
      return at::stack(features);
    }
  }
  CONTRA4_CHECK(false, "a modality without a stem");
}

at::Tensor Encoder::resample(Modality modality, const at::Tensor& features,
                             nn::BlockRunner& runner) const {
  return resampler_.forward(modality, features, runner);
}

at::Tensor Encoder::picture_tokens(const at::Tensor& pictures) const {
  return tokens_of(nn::convolution(pictures, picture_filter_, {}, sizes_.patch_side));
}

at::Tensor Encoder::sound_tokens(const at::Tensor& sounds) const {
  return tokens_of(nn::convolution(sounds, sound_filter_, sound_bias_, kSoundStride));
}

// The layer is the same for every point: once per point, then the greatest of each group. Where
// gradients are wanted the points that were the greatest are remembered, not the groups.
at::Tensor Encoder::point_tokens(std::span<const PreparedMedium> media) const {
  std::vector<at::Tensor> tokens;
  for (const PreparedMedium& medium : media) {
    const at::Tensor rows = medium[1].to(placement_.device);
    const at::Tensor points = nn::product(medium[0].to(placement_.device, placement_.dtype),
                                          point_weight_.flatten(1), point_bias_);
    const bool is_recording = nn::is_recording(points);
    const at::Tensor grouped =
        points.detach().index_select(0, rows.flatten()).unflatten(0, {rows.size(0), rows.size(1)});
    if (!is_recording) {
      tokens.push_back(grouped.amax(1));
      continue;
    }
    tokens.push_back(points.gather(0, rows.gather(1, grouped.argmax(1))));
  }
  return at::stack(tokens);
}

// [patches + 1, width]: the mean over the frames, in float32 at least.
at::Tensor Encoder::video_features(const PreparedMedium& medium, nn::BlockRunner& runner) const {
  const at::Tensor& frames = medium[0];
  at::Tensor sum;
  for (std::int64_t first = 0; first < frames.size(0); first += kMaxPictures) {
    const at::Tensor part = frames.narrow(0, first, std::min(kMaxPictures, frames.size(0) - first))
                                .to(placement_.device, placement_.dtype);
    const at::Tensor features =
        clip_.forward(picture_tokens(part), picture_positions_, runner)
            .sum({0}, /*keepdim=*/false, nn::at_least_float32(placement_.dtype));
    sum = sum.defined() ? sum.add_(features) : features;
  }
  return sum.div_(static_cast<double>(frames.size(0))).to(placement_.dtype);
}

std::size_t encode_batch_size(Modality modality, at::Device device) {
  const bool is_cpu = device.is_cpu();
  switch (modality) {
    case Modality::kImage:
      return is_cpu ? 8 : 64;
    case Modality::kVideo:
      return is_cpu ? 1 : 8;
    case Modality::kAudio:
    case Modality::kPointCloud:
      return is_cpu ? 2 : 16;
  }
  return 1;
}

}  // namespace contra4::models::onellm
