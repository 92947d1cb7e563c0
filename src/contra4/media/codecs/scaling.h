// Pictures of another size and sounds of another rate, for what has to be sent.
#pragma once

#include "contra4/base/error.h"
#include "contra4/media/picture.h"
#include "contra4/media/sound.h"

namespace contra4::media {

// As MediaDecoder::resize: kInvalidArgument for a size outside 1 to 65535, or an empty picture.
// Pillow's BILINEAR: a triangle as wide as the step where it gets smaller, columns first, rounded
// to whole levels in between. Source: Pillow, src/libImaging/Resample.c as described in its
// documentation; same fixed point of 22 bits, so the bytes are the same.
Result<Picture> resize(const Picture& picture, int width, int height);

// As MediaDecoder::resample_mono: kInvalidArgument for a rate outside 1 to 768000 Hz or no sound.
//   returns  [1, ceil(num_frames * sample_rate_hz / sound.sample_rate_hz)]
Result<Sound> resample_mono(const Sound& sound, int sample_rate_hz);

}  // namespace contra4::media
