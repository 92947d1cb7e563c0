// Sounds brought to another sample rate as torchaudio does it.
#pragma once

#include <ATen/core/Tensor.h>

namespace contra4::features {

inline constexpr int kMaxSampleRateHz = 768'000;

// Windowed sinc (Hann, width 6, roll-off 0.99), every channel on its own; the samples as they are
// where the rate is already that. Differs from the source in the order of the sums alone: some
// 1e-7.
//   samples  [num_channels, num_samples] float32
//   returns  [num_channels, ceil(num_samples * to_hz / from_hz)] float32
// Throws kInvalidArgument for a rate outside 1 to kMaxSampleRateHz.
// Source: torchaudio 0.13.1, transforms.Resample with its defaults.
at::Tensor resample_sinc(const at::Tensor& samples, int from_hz, int to_hz);

}  // namespace contra4::features
