// Media as OneLLM sees them.
// Source: csuhan/OneLLM 8587a47, data/data_utils.py and data/video_utils.py.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/base/error.h"
#include "contra4/media/picture.h"
#include "contra4/media/point_cloud.h"
#include "contra4/media/sound.h"
#include "contra4/media/video.h"

namespace contra4::features {

// Shorter side to 224, the square in the middle.
//   returns  [3, 224, 224] float32
at::Tensor onellm_image(const media::Picture& picture);

// Only the first channel counts, less the mean over all. 10.24 s are kept; a shorter clip is
// filled with zeros behind, before the normalisation.
//   returns  [1, 128, 1024] float32: (log mel energy + 4.27) / 9.14, frequency by time
// kInvalidArgument for a sound below 25 ms, for samples that are no numbers, and for a rate that
// resample_sinc() refuses.
Result<at::Tensor> onellm_audio(const media::Sound& sound);

struct OneLlmVideoOptions {
  // Five clips begin evenly over the video less a second. Published: 5, so that the last fifth is
  // never seen; later versions of pytorchvideo divide by 4.
  int start_divisor = 5;
};

// Numbers of the five frames that are seen: the first of each clip. Ascending, may repeat.
// kDataLoss for a video without frames or without a frame rate.
Result<std::vector<std::int64_t>> onellm_frame_numbers(const media::VideoTimeline& timeline,
                                                       const OneLlmVideoOptions& options);
//   frames   five, of any sizes
//   returns  [15, 3, 224, 224] float32: three squares (left, middle, right or top to bottom) of
//   each
at::Tensor onellm_video(std::span<const media::Picture> frames);

// Colours are not looked at. The published program was given 8,192 points; of another number as
// many are taken, evenly over the order of the file (of fewer some more than once).
//   returns  [16384, 6] float32: x y z around the centre and scaled into the unit ball, then x y z
//   as
//            they are, every point twice
// kInvalidArgument for no points, points that are no numbers, or all of them at one place.
Result<at::Tensor> onellm_points(const media::PointCloud& cloud);

}  // namespace contra4::features
