// Log-mel filter banks as Kaldi and torchaudio compute them.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace contra4::features {

struct FbankOptions {
  int sample_rate_hz = 16000;
  int num_mel_bins = 128;
  double frame_length_ms = 25;
  double frame_shift_ms = 10;
  double low_hz = 20;
  double high_hz = 0;  // 0: half of the sample rate
  double preemphasis = 0.97;
  enum class Window { kHanning, kPovey } window = Window::kHanning;
  std::int64_t max_frames = 0;  // of the start; 0: all
};

// What an empty bin gives: the natural logarithm of the energies' floor.
inline constexpr float kLogMelFloor = -15.942385F;

// One clip. No dither; every frame loses its own mean; windows padded with zeros to a power of two;
// energies are floored at 1.1920929e-7.
//   samples  [num_samples] float32
//   returns  [num_frames, num_mel_bins] float32, natural log; only frames that fit whole
// Throws kInvalidArgument for a clip shorter than a frame.
// Source: torchaudio 0.13.1, compliance.kaldi.fbank; rounded at the same places, because what lies
// near the floor is decided there.
at::Tensor log_mel(const at::Tensor& samples, const FbankOptions& options);

// Cut behind, or filled with zeros.
//   frames   [any, num_mel_bins] float32
//   returns  [num_frames, num_mel_bins]
at::Tensor with_num_frames(const at::Tensor& frames, std::int64_t num_frames);

}  // namespace contra4::features
