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

// A part of a picture, in its pixels.
struct Window {
  std::int64_t top = 0;
  std::int64_t left = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
};

Size size_of(const media::Picture& picture);

// The shorter side becomes `shorter`, the other trunc(shorter * long / short). At least 1 each.
// Source: torchvision 0.14, functional.resize; pytorchvideo 0.1.5, short_side_scale.
Size scaled_to_shorter_side(const Size& size, std::int64_t shorter);

Window whole(const Size& size);
// A square of `side` from the middle of a picture that is at least so large; offsets rounded half
// to even. Source: torchvision 0.14, functional.center_crop.
Window center_square(const Size& size, std::int64_t side);

// Bicubic with antialiasing as Pillow does it: horizontal pass first, 8 bits between the passes,
// coefficients of 22 fractional bits. Of the picture of `size` only `window` is computed: a picture
// of one row costs no more than its crop. The same pixels when the size is already that.
// Source: Pillow 9.4, src/libImaging/Resample.c.
media::Picture resize_bicubic(const media::Picture& picture, const Size& size,
                              const Window& window);
media::Picture resize_bicubic(const media::Picture& picture, const Size& size);

// Bilinear between the four nearest pixels, no antialiasing, pixel centres at .5, float32.
//   returns  [3, window.height, window.width] float32 in [0, 1]
// Source: torch, interpolate(mode="bilinear", align_corners=False).
at::Tensor resize_bilinear(const media::Picture& picture, const Size& size, const Window& window);

// Mean and deviation per channel, of values in [0, 1].
struct Normalization {
  float mean[3];
  float deviation[3];
};
inline constexpr Normalization kClipNormalization = {{0.48145466F, 0.4578275F, 0.40821073F},
                                                     {0.26862954F, 0.26130258F, 0.27577711F}};

// returns  [3, height, width] float32: (value / 255 - mean) / deviation
at::Tensor to_normalized_tensor(const media::Picture& picture, const Normalization& normalization);
// The same of values in [0, 1], [3, height, width] float32, in place.
void normalize(at::Tensor& channels, const Normalization& normalization);

}  // namespace contra4::features
