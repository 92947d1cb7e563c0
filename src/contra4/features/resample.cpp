#include "contra4/features/resample.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <numeric>
#include <vector>

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include "contra4/base/error.h"

namespace contra4::features {

namespace {

constexpr double kZeroCrossings = 6;
constexpr double kRollOff = 0.99;

// The filter of one output phase: where it begins, counted from the input sample of its block, and
// its weights. What lies outside is zero in the published kernel too, which stores it.
struct Phase {
  std::int64_t first = 0;
  std::vector<float> weights;
};

// `from` and `to` have no common divisor. Of `to` output samples that belong to `from` input
// samples, each has a phase of its own.
std::vector<Phase> filter_phases(std::int64_t from, std::int64_t to) {
  const double base = static_cast<double>(std::min(from, to)) * kRollOff;
  const auto width =
      static_cast<std::int64_t>(std::ceil(kZeroCrossings * static_cast<double>(from) / base));
  std::vector<Phase> phases(static_cast<std::size_t>(to));
  for (std::int64_t j = 0; j < to; ++j) {
    Phase& phase = phases[static_cast<std::size_t>(j)];
    // The published code has this term in float32, the rest in float64.
    const double shift = static_cast<float>(-j) / static_cast<float>(to);
    for (std::int64_t k = -width; k < width + from; ++k) {
      const double t = (static_cast<double>(k) / static_cast<double>(from) + shift) * base;
      if (std::abs(t) >= kZeroCrossings) {
        if (t > 0) break;
        // Skips to the first sample that counts, less one for the rounding.
        const double begin =
            std::floor((-kZeroCrossings / base - shift) * static_cast<double>(from));
        k = std::max(k, static_cast<std::int64_t>(begin) - 1);
        continue;
      }
      if (phase.weights.empty()) phase.first = k;
      const double window = std::cos(t * std::numbers::pi / kZeroCrossings / 2);
      const double angle = t * std::numbers::pi;
      const double sinc = angle == 0 ? 1.0 : std::sin(angle) / angle;
      phase.weights.push_back(
          static_cast<float>(sinc * (window * window * (base / static_cast<double>(from)))));
    }
  }
  return phases;
}

void check_rate(int rate_hz) {
  if (rate_hz >= 1 && rate_hz <= kMaxSampleRateHz) return;
  throw Exception(ErrorCode::kInvalidArgument,
                  fmt::format("[resample_sinc] a sample rate of {} Hz is not between 1 and {}",
                              rate_hz, kMaxSampleRateHz));
}

}  // namespace

at::Tensor resample_sinc(const at::Tensor& samples, int from_hz, int to_hz) {
  CONTRA4_CHECK(samples.dim() == 2 && samples.scalar_type() == at::kFloat,
                "[num_channels, num_samples] of float32");
  check_rate(from_hz);
  check_rate(to_hz);
  if (from_hz == to_hz) return samples;
  const std::int64_t divisor = std::gcd(from_hz, to_hz);
  const std::int64_t from = from_hz / divisor;
  const std::int64_t to = to_hz / divisor;
  const std::vector<Phase> phases = filter_phases(from, to);
  const std::int64_t num_channels = samples.size(0);
  const std::int64_t num_samples = samples.size(1);
  const std::int64_t num_results = (num_samples * to + from - 1) / from;
  const at::Tensor input = samples.contiguous();
  at::Tensor result = at::empty({num_channels, num_results}, at::kFloat);
  for (std::int64_t channel = 0; channel < num_channels; ++channel) {
    const float* in = input.data_ptr<float>() + channel * num_samples;
    float* out = result.data_ptr<float>() + channel * num_results;
    for (std::int64_t n = 0; n < num_results; ++n) {
      const Phase& phase = phases[static_cast<std::size_t>(n % to)];
      const std::int64_t first = n / to * from + phase.first;
      const auto num_weights = static_cast<std::int64_t>(phase.weights.size());
      const std::int64_t begin = std::max<std::int64_t>(first, 0);
      const std::int64_t end = std::min(first + num_weights, num_samples);
      const float* weight = phase.weights.data() + (begin - first);
      double sum = 0;
      for (std::int64_t i = begin; i < end; ++i) sum += static_cast<double>(*weight++) * in[i];
      out[n] = static_cast<float>(sum);
    }
  }
  return result;
}

}  // namespace contra4::features
