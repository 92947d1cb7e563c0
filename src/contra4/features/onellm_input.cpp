#include "contra4/features/onellm_input.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <fmt/format.h>

#include "contra4/features/fbank.h"
#include "contra4/features/resample.h"
#include "contra4/features/resize.h"

namespace contra4::features {

namespace {

constexpr std::int64_t kSide = 224;
constexpr int kSampleRateHz = 16000;
constexpr std::int64_t kNumAudioFrames = 1024;
// Of AudioSet; the deviation is twice the one of the log energies.
constexpr float kAudioMean = -4.2677393F;
constexpr float kAudioDeviation = 9.1379948F;
constexpr std::int64_t kNumClips = 5;
constexpr double kClipSeconds = 1;
constexpr std::int64_t kCropsPerFrame = 3;
constexpr std::int64_t kNumPoints = 8192;

// number * value / divisor, rounded once: the published program has these times as fractions, and
// the number of a frame hangs on the last bit. `number` is below 8, `divisor` below 64.
double exact_part(double value, std::int64_t number, std::int64_t divisor) {
  constexpr int kMantissaBits = 53;
  constexpr int kExtraBits = 8;
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);
  const auto mantissa = static_cast<std::uint64_t>(std::ldexp(fraction, kMantissaBits));
  const std::uint64_t numerator = (mantissa * static_cast<std::uint64_t>(number)) << kExtraBits;
  const auto denominator = static_cast<std::uint64_t>(divisor);
  // The lowest bit stands for all that the division leaves, so that rounding sees it.
  const std::uint64_t quotient =
      (numerator / denominator) | (numerator % denominator == 0 ? 0U : 1U);
  return std::ldexp(static_cast<double>(quotient), exponent - kMantissaBits - kExtraBits);
}

// Three squares along the longer side; the same one three times of a square picture.
std::array<Window, kCropsPerFrame> three_crops(const Size& size) {
  const std::int64_t room = std::max(size.height, size.width) - kSide;
  const bool is_high = size.height > size.width;
  std::array<Window, kCropsPerFrame> crops;
  const std::array<std::int64_t, kCropsPerFrame> offsets = {0, (room + 1) / 2, room};
  for (std::size_t i = 0; i < crops.size(); ++i) {
    crops[i] = {.top = is_high ? offsets[i] : 0,
                .left = is_high ? 0 : offsets[i],
                .height = kSide,
                .width = kSide};
  }
  return crops;
}

Error invalid(const char* where, const std::string& what) {
  return {ErrorCode::kInvalidArgument, fmt::format("[{}] {}", where, what)};
}

bool all_finite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

}  // namespace

at::Tensor onellm_image(const media::Picture& picture) {
  const Size size = scaled_to_shorter_side(size_of(picture), kSide);
  return to_normalized_tensor(resize_bicubic(picture, size, center_square(size, kSide)),
                              kClipNormalization);
}

Result<at::Tensor> onellm_audio(const media::Sound& sound) {
  if (sound.sample_rate_hz < 1 || sound.sample_rate_hz > kMaxSampleRateHz) {
    return invalid("onellm_audio", fmt::format("a sample rate of {} Hz is not between 1 and {}",
                                               sound.sample_rate_hz, kMaxSampleRateHz));
  }
  if (!all_finite(sound.samples)) {
    return invalid("onellm_audio", "the sound has samples that are no numbers");
  }
  const auto num_frames = static_cast<std::int64_t>(sound.num_frames());
  // from_blob() takes no const; nothing below writes to it.
  const at::Tensor samples = at::from_blob(const_cast<float*>(sound.samples.data()),  // NOLINT
                                           {sound.num_channels, num_frames}, at::kFloat);
  const at::Tensor resampled = resample_sinc(samples, sound.sample_rate_hz, kSampleRateHz);
  const FbankOptions options{.sample_rate_hz = kSampleRateHz, .max_frames = kNumAudioFrames};
  const double min_samples = options.frame_length_ms * kSampleRateHz / 1000;
  if (resampled.numel() == 0 || static_cast<double>(resampled.size(1)) < min_samples) {
    return invalid("onellm_audio",
                   fmt::format("{} samples at {} Hz are less than {} ms", num_frames,
                               sound.sample_rate_hz, options.frame_length_ms));
  }
  const at::Tensor mel = log_mel(resampled[0] - resampled.mean(), options);
  return with_num_frames(mel, kNumAudioFrames)
      .sub(kAudioMean)
      .div_(kAudioDeviation)
      .t()
      .contiguous()
      .unsqueeze(0);
}

Result<std::vector<std::int64_t>> onellm_frame_numbers(const media::VideoTimeline& timeline,
                                                       const OneLlmVideoOptions& options) {
  const auto num_frames = static_cast<std::int64_t>(timeline.frame_pts_ticks.size());
  const media::Rational& rate = timeline.average_fps;
  if (num_frames == 0) {
    return Error{ErrorCode::kDataLoss, "[onellm_frame_numbers] the video has no frames"};
  }
  if (rate.numerator <= 0 || rate.denominator <= 0) {
    return Error{ErrorCode::kDataLoss,
                 fmt::format("[onellm_frame_numbers] the video has no frame rate ({}/{})",
                             rate.numerator, rate.denominator)};
  }
  CONTRA4_CHECK(options.start_divisor >= 1 && options.start_divisor < 64, "a divisor of 4 or 5");
  const double fps = rate.value();
  const double seconds = static_cast<double>(num_frames) / fps;
  const double last_start_s = std::max(seconds - kClipSeconds, 0.0);
  std::vector<std::int64_t> numbers;
  for (std::int64_t i = 0; i < kNumClips; ++i) {
    const double start_s = exact_part(last_start_s, i, options.start_divisor);
    const double number = std::min(std::ceil(fps * start_s), static_cast<double>(num_frames - 1));
    numbers.push_back(static_cast<std::int64_t>(number));
  }
  return numbers;
}

at::Tensor onellm_video(std::span<const media::Picture> frames) {
  CONTRA4_CHECK(frames.size() == kNumClips, "one frame of each of five clips");
  at::Tensor result = at::empty({kNumClips * kCropsPerFrame, 3, kSide, kSide}, at::kFloat);
  std::int64_t next = 0;
  for (const media::Picture& frame : frames) {
    const Size size = scaled_to_shorter_side(size_of(frame), kSide);
    for (const Window& crop : three_crops(size)) {
      at::Tensor square = resize_bilinear(frame, size, crop);
      normalize(square, kClipNormalization);
      result[next++].copy_(square);
    }
  }
  return result;
}

Result<at::Tensor> onellm_points(const media::PointCloud& cloud) {
  const auto num_points = static_cast<std::int64_t>(cloud.num_points());
  if (num_points == 0) return invalid("onellm_points", "the point cloud has no points");
  if (!all_finite(cloud.xyz)) {
    return invalid("onellm_points", "the point cloud has coordinates that are no numbers");
  }
  std::vector<const float*> points;
  points.reserve(kNumPoints);
  std::array<double, 3> center{};
  for (std::int64_t i = 0; i < kNumPoints; ++i) {
    points.push_back(cloud.xyz.data() + i * num_points / kNumPoints * 3);
    for (std::size_t c = 0; c < 3; ++c) center[c] += points.back()[c];
  }
  for (double& coordinate : center) coordinate /= kNumPoints;
  double radius = 0;
  for (const float* point : points) {
    radius = std::max(radius,
                      std::hypot(point[0] - center[0], point[1] - center[1], point[2] - center[2]));
  }
  if (radius == 0) return invalid("onellm_points", "all points of the cloud lie at one place");
  at::Tensor result = at::empty({2 * kNumPoints, 6}, at::kFloat);
  float* out = result.data_ptr<float>();
  for (const float* point : points) {
    for (std::size_t c = 0; c < 3; ++c) {
      out[c] = static_cast<float>((point[c] - center[c]) / radius);
      out[c + 3] = point[c];
    }
    out += 6;
  }
  result.narrow(0, kNumPoints, kNumPoints).copy_(result.narrow(0, 0, kNumPoints));
  return result;
}

}  // namespace contra4::features
