// Sounds brought to another sample rate as torchaudio does it.
#pragma once

#include <ATen/core/Tensor.h>

namespace contra4::features {

// Windowed sinc (Hann, width 6, roll-off 0.99), every channel on its own.
//   samples  [num_channels, num_samples] float32
//   returns  [num_channels, ceil(num_samples * to_hz / from_hz)]
// Source: torchaudio 0.13.1, functional.resample.
at::Tensor resample_sinc(const at::Tensor& samples, int from_hz, int to_hz);

}  // namespace contra4::features
