#include "contra4/media/transcode.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace contra4::media {

namespace {

constexpr int kSpeechRateHz = 16'000;  // what speech and sound encoders are trained on

// The size of a picture whose longer side is at most `max_side`.
std::array<int, 2> fitted_size(const Picture& picture, int max_side) {
  const int longer = std::max(picture.width, picture.height);
  if (max_side <= 0 || longer <= max_side) return {picture.width, picture.height};
  const auto scaled = [&](int side) {
    const double exact = static_cast<double>(side) * max_side / longer;
    return std::max(1, static_cast<int>(std::lround(exact)));
  };
  return {scaled(picture.width), scaled(picture.height)};
}

Result<TranscodedPart> jpeg_within(Picture picture, std::string_view name,
                                   const PictureBounds& bounds, const MediaDecoder& decoder) {
  constexpr std::array kQualities = {92, 80, 65};
  constexpr int kLeastSide = 16;
  constexpr double kShrink = 0.7;
  int side = bounds.max_side > 0 ? bounds.max_side : std::max(picture.width, picture.height);
  while (true) {
    const auto [width, height] = fitted_size(picture, side);
    if (width != picture.width || height != picture.height) {
      auto smaller = decoder.resize(picture, width, height);
      if (!smaller) return smaller.error();
      picture = std::move(*smaller);
    }
    for (const int quality : kQualities) {
      auto jpeg = decoder.encode_jpeg(picture, quality);
      if (!jpeg) return jpeg.error();
      if (jpeg->size() > bounds.max_bytes) continue;
      return TranscodedPart{std::move(*jpeg), "image/jpeg", "jpeg", {}};
    }
    side = static_cast<int>(std::max(picture.width, picture.height) * kShrink);
    if (side < kLeastSide) {
      return Error{ErrorCode::kResourceExhausted,
                   fmt::format("{}: no picture of it has {} bytes or fewer; allow more bytes", name,
                               bounds.max_bytes)};
    }
  }
}

void append_number(std::string& out, std::uint32_t value, int num_bytes) {
  for (int i = 0; i < num_bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xffU);
}

double seconds_of(const VideoTimeline& timeline, std::int64_t number) {
  const auto& ticks = timeline.frame_pts_ticks;
  return static_cast<double>(ticks[static_cast<std::size_t>(number)] - ticks.front()) *
         timeline.time_base.value();
}

std::string words_of_frames(const VideoTimeline& timeline, std::span<const std::int64_t> numbers) {
  std::vector<std::string> times;
  for (const std::int64_t number : numbers) {
    times.push_back(fmt::format("{:.1f}", seconds_of(timeline, number)));
  }
  if (numbers.size() == 1) return fmt::format("One frame of a video, at {} s:", times.front());
  return fmt::format("{} frames of one video, in order, at {} s:", numbers.size(),
                     fmt::join(times, ", "));
}

}  // namespace

std::string write_wav(const Sound& sound) {
  constexpr std::uint32_t kHeaderBytes = 44;
  constexpr float kFull = 32767;
  const auto num_channels = static_cast<std::uint32_t>(sound.num_channels);
  const auto rate = static_cast<std::uint32_t>(sound.sample_rate_hz);
  const std::size_t num_frames = sound.num_frames();
  const std::uint64_t num_bytes = 2ULL * num_frames * num_channels;
  CONTRA4_CHECK(num_bytes < 0xffffffffULL - kHeaderBytes, "a sound beyond what wav can hold");
  const auto data_bytes = static_cast<std::uint32_t>(num_bytes);
  std::string wav = "RIFF";
  append_number(wav, data_bytes + kHeaderBytes - 8, 4);
  wav += "WAVEfmt ";
  append_number(wav, 16, 4);  // bytes of what follows
  append_number(wav, 1, 2);   // whole numbers
  append_number(wav, num_channels, 2);
  append_number(wav, rate, 4);
  append_number(wav, rate * num_channels * 2, 4);
  append_number(wav, num_channels * 2, 2);
  append_number(wav, 16, 2);  // bits
  wav += "data";
  append_number(wav, data_bytes, 4);
  wav.reserve(wav.size() + num_bytes);
  for (std::size_t frame = 0; frame < num_frames; ++frame) {
    for (std::size_t channel = 0; channel < num_channels; ++channel) {
      const float sample = std::clamp(sound.samples[channel * num_frames + frame], -1.F, 1.F);
      append_number(wav, static_cast<std::uint32_t>(std::lround(sample * kFull)), 2);
    }
  }
  return wav;
}

std::vector<std::int64_t> middle_frames(const VideoTimeline& timeline, int num_frames) {
  const std::vector<std::int64_t>& ticks = timeline.frame_pts_ticks;
  if (ticks.empty()) return {};
  // The last frame is shown for as long as the stream lasts, or else like the others.
  const auto span = static_cast<double>(ticks.back() - ticks.front());
  const double typical = ticks.size() > 1 ? span / static_cast<double>(ticks.size() - 1) : 1;
  const double length = std::max(span + typical, static_cast<double>(timeline.duration_ticks));
  std::vector<std::int64_t> numbers;
  for (int i = 0; i < num_frames; ++i) {
    const double at = static_cast<double>(ticks.front()) + (i + 0.5) * length / num_frames;
    // The frame that is on show then.
    const auto next = std::upper_bound(
        ticks.begin(), ticks.end(), at,
        [](double time, std::int64_t tick) { return time < static_cast<double>(tick); });
    const std::int64_t number = std::max<std::int64_t>(next - ticks.begin() - 1, 0);
    if (numbers.empty() || number > numbers.back()) numbers.push_back(number);
  }
  return numbers;
}

Result<TranscodedPart> transcode_picture(std::string_view bytes, std::string_view name,
                                         const PictureBounds& bounds, const MediaDecoder& decoder) {
  auto picture = decoder.decode_picture(bytes, name, {});
  if (!picture) return picture.error();
  return jpeg_within(std::move(*picture), name, bounds, decoder);
}

Result<TranscodedPart> transcode_sound(std::string_view bytes, std::string_view name,
                                       std::uint64_t max_bytes, const MediaDecoder& decoder) {
  const auto sound = decoder.decode_sound(bytes, name, {});
  if (!sound) return sound.error();
  const auto mono = decoder.resample_mono(*sound, kSpeechRateHz);
  if (!mono) return mono.error();
  std::string wav = write_wav(*mono);
  if (wav.size() > max_bytes) {
    return Error{ErrorCode::kResourceExhausted,
                 fmt::format("{}: {:.0f} s of sound make a wav of {} bytes, a request takes at "
                             "most {}; cut it",
                             name, static_cast<double>(mono->num_frames()) / kSpeechRateHz,
                             wav.size(), max_bytes)};
  }
  return TranscodedPart{std::move(wav), "audio/wav", "wav", {}};
}

Result<std::vector<TranscodedPart>> transcode_video(std::string_view bytes, std::string_view name,
                                                    int num_frames, const PictureBounds& bounds,
                                                    const MediaDecoder& decoder) {
  const auto video = decoder.open_video(bytes, name, {});
  if (!video) return video.error();
  const VideoTimeline& timeline = (*video)->timeline();
  const std::vector<std::int64_t> numbers = middle_frames(timeline, num_frames);
  if (numbers.empty()) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("{}: a video without frames", name)};
  }
  auto frames = (*video)->frames(numbers);
  if (!frames) return frames.error();
  PictureBounds each = bounds;
  each.max_bytes = bounds.max_bytes / numbers.size();
  std::vector<TranscodedPart> parts;
  for (Picture& frame : *frames) {
    auto part = jpeg_within(std::move(frame), name, each, decoder);
    if (!part) return part.error();
    parts.push_back(std::move(*part));
  }
  if (!parts.empty()) parts.front().words = words_of_frames(timeline, numbers);
  return parts;
}

Result<TranscodedPart> transcode_points(std::string_view bytes, std::string_view name,
                                        const RenderOptions& views, const PictureBounds& bounds,
                                        const MediaDecoder& decoder) {
  const auto cloud = read_point_cloud(bytes, name);
  if (!cloud) return cloud.error();
  auto sheet = render_views(*cloud, views);
  if (!sheet) return sheet.error();
  auto part = jpeg_within(std::move(*sheet), name, bounds, decoder);
  if (part) part->words = words_of_views(views.num_views);
  return part;
}

}  // namespace contra4::media
