#include "contra4/features/fbank.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/fft_rfft.h>
#include <ATen/ops/hann_window.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include "contra4/base/error.h"

namespace contra4::features {

namespace {

constexpr double kMelFactor = 1127;
constexpr double kMelCornerHz = 700;

double mel_of_hz(double hz) {
  return kMelFactor * std::log(1 + hz / kMelCornerHz);
}

struct Frames {
  std::int64_t length = 0;  // samples
  std::int64_t shift = 0;
  std::int64_t padded = 0;  // length of the transform
};

Frames frames_of(const FbankOptions& options) {
  const double samples_per_ms = options.sample_rate_hz * 0.001;
  Frames frames;
  frames.length = static_cast<std::int64_t>(options.frame_length_ms * samples_per_ms);
  frames.shift = static_cast<std::int64_t>(options.frame_shift_ms * samples_per_ms);
  CONTRA4_CHECK(frames.length > 1 && frames.shift > 0, "frames of some samples");
  frames.padded =
      static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(frames.length)));
  return frames;
}

at::Tensor window_of(FbankOptions::Window window, std::int64_t length) {
  const at::Tensor hann = at::hann_window(length, /*periodic=*/false, at::kFloat);
  return window == FbankOptions::Window::kPovey ? hann.pow(0.85) : hann;
}

// Triangles over the mel scale, [padded / 2 + 1, num_mel_bins]. The last bin of the spectrum, half
// the sample rate, counts for none.
at::Tensor mel_weights(const FbankOptions& options, const Frames& frames) {
  const double half_rate = 0.5 * options.sample_rate_hz;
  const double high_hz = options.high_hz > 0 ? options.high_hz : options.high_hz + half_rate;
  const double low = mel_of_hz(options.low_hz);
  const double step = (mel_of_hz(high_hz) - low) / (options.num_mel_bins + 1);
  const double bin_hz =
      static_cast<double>(options.sample_rate_hz) / static_cast<double>(frames.padded);
  const at::Tensor bins = at::arange(options.num_mel_bins, at::kFloat).unsqueeze(0);
  const at::Tensor left = bins * step + low;
  const at::Tensor center = (bins + 1) * step + low;
  const at::Tensor right = (bins + 2) * step + low;
  const at::Tensor mel =
      (at::arange(frames.padded / 2, at::kFloat) * bin_hz / kMelCornerHz + 1).log() * kMelFactor;
  const at::Tensor rising = (mel.unsqueeze(1) - left) / (center - left);
  const at::Tensor falling = (right - mel.unsqueeze(1)) / (right - center);
  const at::Tensor weights = at::minimum(rising, falling).clamp_min(0);
  return at::cat({weights, at::zeros({1, options.num_mel_bins}, at::kFloat)});
}

}  // namespace

at::Tensor log_mel(const at::Tensor& samples, const FbankOptions& options) {
  CONTRA4_CHECK(samples.dim() == 1 && samples.scalar_type() == at::kFloat,
                "[num_samples] of float32");
  const Frames frames = frames_of(options);
  if (samples.size(0) < frames.length) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("[log_mel] {} samples are less than one frame of {} ({} ms)",
                                samples.size(0), frames.length, options.frame_length_ms));
  }
  std::int64_t num_frames = 1 + (samples.size(0) - frames.length) / frames.shift;
  if (options.max_frames > 0) num_frames = std::min(num_frames, options.max_frames);
  at::Tensor windows =
      samples.contiguous().as_strided({num_frames, frames.length}, {frames.shift, 1});
  windows = windows - windows.mean(1, /*keepdim=*/true);
  const at::Tensor before =
      at::cat({windows.narrow(1, 0, 1), windows.narrow(1, 0, frames.length - 1)}, 1);
  windows = windows - before * options.preemphasis;
  windows = windows * window_of(options.window, frames.length);
  windows = at::constant_pad_nd(windows, {0, frames.padded - frames.length});
  const at::Tensor energies = at::fft_rfft(windows).abs().square();
  return energies.matmul(mel_weights(options, frames))
      .clamp_min(std::numeric_limits<float>::epsilon())
      .log();
}

at::Tensor with_num_frames(const at::Tensor& frames, std::int64_t num_frames) {
  const std::int64_t missing = num_frames - frames.size(0);
  return missing > 0 ? at::constant_pad_nd(frames, {0, 0, 0, missing})
                     : frames.narrow(0, 0, num_frames);
}

}  // namespace contra4::features
