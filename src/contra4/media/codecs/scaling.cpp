#include "contra4/media/codecs/scaling.h"

extern "C" {
#include <libavutil/channel_layout.h>
}

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "contra4/media/codecs/ffmpeg.h"
#include "contra4/media/codecs/limits.h"

namespace contra4::media {

namespace {

constexpr int kFractionBits = 22;
constexpr int kLargestSide = 65535;
constexpr int kHighestRateHz = 768'000;

// The pixels that make one of the result, and what each counts.
struct Taps {
  int first = 0;
  std::vector<std::int32_t> weights;  // in 1 / 2^22, together about one
};

std::vector<Taps> triangle_taps(int in_size, int out_size) {
  const double step = static_cast<double>(in_size) / out_size;
  const double support = std::max(step, 1.0);
  std::vector<Taps> all(static_cast<std::size_t>(out_size));
  std::vector<double> weights;
  for (int i = 0; i < out_size; ++i) {
    const double center = (i + 0.5) * step;
    const int first = std::max(static_cast<int>(std::floor(center - support + 0.5)), 0);
    const int end = std::min(static_cast<int>(std::floor(center + support + 0.5)), in_size);
    weights.clear();
    double sum = 0;
    for (int x = first; x < end; ++x) {
      const double distance = std::abs((x - center + 0.5) / support);
      weights.push_back(std::max(1 - distance, 0.0));
      sum += weights.back();
    }
    Taps& taps = all[static_cast<std::size_t>(i)];
    taps.first = first;
    for (const double weight : weights) {
      taps.weights.push_back(
          static_cast<std::int32_t>(std::floor(weight / sum * (1 << kFractionBits) + 0.5)));
    }
  }
  return all;
}

// One pass over lines of pixels.
struct Pass {
  std::ptrdiff_t num_lines;
  std::ptrdiff_t in_line;  // bytes from one line to the next
  std::ptrdiff_t in_step;  // bytes from one pixel of a line to the next
  std::ptrdiff_t out_line;
  std::ptrdiff_t out_step;
};

void scale_lines(const std::uint8_t* in, std::uint8_t* out, const Pass& pass,
                 std::span<const Taps> taps) {
  for (std::ptrdiff_t line = 0; line < pass.num_lines; ++line) {
    for (std::size_t i = 0; i < taps.size(); ++i) {
      std::array<std::int32_t, 3> sums{};
      sums.fill(1 << (kFractionBits - 1));
      const std::uint8_t* pixel = in + line * pass.in_line + taps[i].first * pass.in_step;
      for (const std::int32_t weight : taps[i].weights) {
        for (std::size_t c = 0; c < 3; ++c) sums[c] += pixel[c] * weight;
        pixel += pass.in_step;
      }
      std::uint8_t* result =
          out + line * pass.out_line + static_cast<std::ptrdiff_t>(i) * pass.out_step;
      for (std::size_t c = 0; c < 3; ++c) {
        result[c] = static_cast<std::uint8_t>(std::clamp(sums[c] >> kFractionBits, 0, 255));
      }
    }
  }
}

Picture blank(int width, int height) {
  return Picture{.width = width,
                 .height = height,
                 .rgb = std::vector<std::uint8_t>(static_cast<std::size_t>(width) *
                                                  static_cast<std::size_t>(height) * 3)};
}

Picture with_width(const Picture& picture, int width) {
  Picture result = blank(width, picture.height);
  scale_lines(picture.rgb.data(), result.rgb.data(),
              Pass{.num_lines = picture.height,
                   .in_line = std::ptrdiff_t{3} * picture.width,
                   .in_step = 3,
                   .out_line = std::ptrdiff_t{3} * width,
                   .out_step = 3},
              triangle_taps(picture.width, width));
  return result;
}

Picture with_height(const Picture& picture, int height) {
  Picture result = blank(picture.width, height);
  const std::ptrdiff_t row = std::ptrdiff_t{3} * picture.width;
  scale_lines(
      picture.rgb.data(), result.rgb.data(),
      Pass{
          .num_lines = picture.width, .in_line = 3, .in_step = row, .out_line = 3, .out_step = row},
      triangle_taps(picture.height, height));
  return result;
}

std::vector<float> mean_of_channels(const Sound& sound) {
  const std::size_t num_frames = sound.num_frames();
  std::vector<float> mean(num_frames);
  for (std::size_t i = 0; i < num_frames; ++i) {
    double sum = 0;
    for (std::size_t c = 0; c < static_cast<std::size_t>(sound.num_channels); ++c) {
      sum += sound.samples[c * num_frames + i];
    }
    mean[i] = static_cast<float>(sum / sound.num_channels);
  }
  return mean;
}

Result<Resampler> open_resampler(int in_rate_hz, int out_rate_hz) {
  AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO;
  SwrContext* opened = nullptr;
  int status = swr_alloc_set_opts2(&opened, &mono, AV_SAMPLE_FMT_FLT, out_rate_hz, &mono,
                                   AV_SAMPLE_FMT_FLT, in_rate_hz, 0, nullptr);
  Resampler resampler(opened);
  if (status >= 0) status = swr_init(opened);
  if (status < 0) return ffmpeg_error("resampling", status);
  return resampler;
}

}  // namespace

Result<Picture> resize(const Picture& picture, int width, int height) {
  if (auto error = wrong_shape(picture)) return *std::move(error);
  if (width < 1 || height < 1 || width > kLargestSide || height > kLargestSide) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("a picture has a width and height from 1 to {}, not {} x {}",
                             kLargestSide, width, height)};
  }
  if (width == picture.width && height == picture.height) return picture;
  if (width == picture.width) return with_height(picture, height);
  Picture wide = with_width(picture, width);
  return height == picture.height ? wide : with_height(wide, height);
}

Result<Sound> resample_mono(const Sound& sound, int sample_rate_hz) {
  for (const int rate : {sound.sample_rate_hz, sample_rate_hz}) {
    if (rate >= 1 && rate <= kHighestRateHz) continue;
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("a sound has a rate from 1 to {} Hz, not {}", kHighestRateHz, rate)};
  }
  const std::size_t num_frames = sound.num_frames();
  if (num_frames == 0 ||
      sound.samples.size() != num_frames * static_cast<std::size_t>(sound.num_channels)) {
    return Error{ErrorCode::kInvalidArgument, "a sound without samples"};
  }
  Sound result{.sample_rate_hz = sample_rate_hz, .num_channels = 1, .samples = {}};
  const std::vector<float> mean = mean_of_channels(sound);
  if (sample_rate_hz == sound.sample_rate_hz) {
    result.samples = mean;
    return result;
  }
  forget_ffmpeg_messages();
  auto resampler = open_resampler(sound.sample_rate_hz, sample_rate_hz);
  if (!resampler) return resampler.error();
  const auto in_rate = static_cast<std::uint64_t>(sound.sample_rate_hz);
  const auto out_rate = static_cast<std::uint64_t>(sample_rate_hz);
  const auto wanted = static_cast<std::size_t>((num_frames * out_rate + in_rate - 1) / in_rate);
  constexpr std::size_t kBlock = 1U << 16U;  // of input
  std::vector<float> block(kBlock * out_rate / in_rate + kBlock);
  auto* out = reinterpret_cast<std::uint8_t*>(block.data());  // NOLINT(*-cast): C API
  const auto room = static_cast<int>(block.size());
  result.samples.reserve(wanted);
  for (std::size_t at = 0; result.samples.size() < wanted;) {
    const std::size_t size = std::min(kBlock, num_frames - at);
    const auto* in = reinterpret_cast<const std::uint8_t*>(mean.data() + at);  // NOLINT(*-cast)
    const int made = size > 0
                         ? swr_convert(resampler->get(), &out, room, &in, static_cast<int>(size))
                         : swr_convert(resampler->get(), &out, room, nullptr, 0);
    if (made < 0) return ffmpeg_error("resampling", made);
    if (made == 0 && size == 0) break;
    at += size;
    result.samples.insert(result.samples.end(), block.begin(), block.begin() + made);
  }
  result.samples.resize(wanted);
  return result;
}

}  // namespace contra4::media
