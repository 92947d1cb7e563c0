#include "contra4/models/onellm/encoder.h"

#include <algorithm>
#include <cmath>
#include <string>

#include <ATen/ops/amax.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/stack.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "contra4/base/error.h"
#include "contra4/nn/product.h"

namespace contra4::models::onellm {

namespace {

constexpr std::int64_t kSoundFilter = 16;
constexpr std::int64_t kSoundStride = 10;
constexpr std::int64_t kMelBins = 128;
constexpr std::int64_t kSoundFrames = 1024;
constexpr std::int64_t kNumSoundTokens = 12 * 101;
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
  point_layer_.weight = load("conv1.point.conv1.weight", {width, 6, 1, 1}).flatten(1);
  point_layer_.bias = load("conv1.point.conv1.bias", {width});
  point_positions_ = load("positional_embedding.point", {kNumPointGroups + 1, width});
}

at::Tensor Encoder::forward(Modality modality, std::span<const PreparedMedium> media) const {
  CONTRA4_CHECK(!media.empty(), "no medium");
  for (const PreparedMedium& medium : media) {
    const std::string fault = find_fault(modality, medium);
    CONTRA4_CHECK(fault.empty(), fault);
  }
  const auto batch = [&] {
    std::vector<at::Tensor> tensors;
    for (const PreparedMedium& medium : media) tensors.push_back(medium[0]);
    return at::stack(tensors).to(placement_.device, placement_.dtype);
  };
  switch (modality) {
    case Modality::kImage:
      return resampler_.forward(modality,
                                clip_.forward(picture_tokens(batch()), picture_positions_));
    case Modality::kAudio:
      return resampler_.forward(modality, clip_.forward(sound_tokens(batch()), sound_positions_));
    case Modality::kPointCloud:
      return resampler_.forward(modality, clip_.forward(point_tokens(media), point_positions_));
    case Modality::kVideo: {
      std::vector<at::Tensor> features;
      for (const PreparedMedium& medium : media) features.push_back(video_features(medium));
      return resampler_.forward(modality, at::stack(features));
    }
  }
  CONTRA4_CHECK(false, "a modality without a stem");
}

std::string Encoder::find_fault(Modality modality, const PreparedMedium& medium) const {
  const auto side =
      sizes_.patch_side * std::llround(std::sqrt(static_cast<double>(sizes_.num_patches)));
  std::vector<std::int64_t> wanted = {3, side, side};
  if (modality == Modality::kAudio) wanted = {1, kMelBins, kSoundFrames};
  if (modality == Modality::kPointCloud) wanted = {-1, 6};
  if (modality == Modality::kVideo) wanted.insert(wanted.begin(), -1);
  const bool is_there = medium.size() == (modality == Modality::kPointCloud ? 2U : 1U);
  const auto fits = [&] {
    const auto sizes = medium[0].sizes();
    return std::equal(
        sizes.begin(), sizes.end(), wanted.begin(), wanted.end(),
        [](std::int64_t found, std::int64_t size) { return size < 0 ? found > 0 : found == size; });
  };
  if (is_there && fits()) return "";
  return fmt::format(
      "a prepared {} is [{}] here, found [{}] (-1: any number)", to_string(modality),
      fmt::join(wanted, ", "),
      medium.empty() ? "nothing" : fmt::format("{}", fmt::join(medium[0].sizes().vec(), ", ")));
}

at::Tensor Encoder::picture_tokens(const at::Tensor& pictures) const {
  return tokens_of(nn::convolution(pictures, picture_filter_, {}, sizes_.patch_side));
}

at::Tensor Encoder::sound_tokens(const at::Tensor& sounds) const {
  return tokens_of(nn::convolution(sounds, sound_filter_, sound_bias_, kSoundStride));
}

// The layer is the same for every point: once per point, then the greatest of each group.
at::Tensor Encoder::point_tokens(std::span<const PreparedMedium> media) const {
  std::vector<at::Tensor> tokens;
  for (const PreparedMedium& medium : media) {
    const at::Tensor rows = medium[1].to(placement_.device);
    const at::Tensor points = point_layer_(medium[0].to(placement_.device, placement_.dtype));
    tokens.push_back(
        points.index_select(0, rows.flatten()).unflatten(0, {rows.size(0), rows.size(1)}).amax(1));
  }
  return at::stack(tokens);
}

// [patches + 1, width]: the mean over the frames, in float32.
at::Tensor Encoder::video_features(const PreparedMedium& medium) const {
  const at::Tensor& frames = medium[0];
  at::Tensor sum;
  for (std::int64_t first = 0; first < frames.size(0); first += kMaxPictures) {
    const at::Tensor part = frames.narrow(0, first, std::min(kMaxPictures, frames.size(0) - first))
                                .to(placement_.device, placement_.dtype);
    const at::Tensor features = clip_.forward(picture_tokens(part), picture_positions_)
                                    .sum({0}, /*keepdim=*/false, at::kFloat);
    sum = sum.defined() ? sum.add_(features) : features;
  }
  return sum.div_(static_cast<double>(frames.size(0))).to(placement_.dtype);
}

}  // namespace contra4::models::onellm
