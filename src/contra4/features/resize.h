// Pictures brought to the size that a model sees, to the same bits as the libraries with which the
// models were published.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "contra4/media/picture.h"

namespace contra4::features {

struct Size {
  std::int64_t height = 0;
  std::int64_t width = 0;
};

// Bicubic with antialiasing as Pillow does it: horizontal pass first, 8 bits between the passes,
// coefficients of 22 fractional bits. The same picture when the size is already that.
// Source: Pillow 9.4, src/libImaging/Resample.c.
media::Picture resize_bicubic(const media::Picture& picture, const Size& size);

// The shorter side becomes `shorter`, the other trunc(shorter * long / short), as torchvision's
// Resize does.
Size scaled_to_shorter_side(const media::Picture& picture, std::int64_t shorter);

// A square of `side` from the middle; offsets rounded half to even. The picture is at least so
// large. Source: torchvision 0.14, center_crop.
media::Picture crop_center(const media::Picture& picture, int side);

// Mean and deviation per channel, of values in [0, 1].
struct Normalization {
  float mean[3];
  float deviation[3];
};
inline constexpr Normalization kClipNormalization = {
    {0.48145466F, 0.4578275F, 0.40821073F}, {0.26862954F, 0.26130258F, 0.27577711F}};

// returns  [3, height, width] float32: (value / 255 - mean) / deviation
at::Tensor to_normalized_tensor(const media::Picture& picture, const Normalization& normalization);

}  // namespace contra4::features
