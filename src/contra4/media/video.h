// A video that is open: its time line is known, pictures are decoded when they are asked for.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/media/picture.h"

namespace contra4::media {

// numerator / denominator; the denominator is positive.
struct Rational {
  std::int64_t numerator = 0;
  std::int64_t denominator = 1;

  double value() const { return static_cast<double>(numerator) / static_cast<double>(denominator); }
};

// What the file says of its first video stream, and the exact times of all its frames, in the order
// in which they are shown.
struct VideoTimeline {
  Rational average_fps;  // frames per second, as the container says or as the times give it
  Rational time_base;    // seconds per tick
  std::int64_t start_ticks = 0;
  std::int64_t duration_ticks = 0;            // of the stream; from the frames where it says none
  std::vector<std::int64_t> frame_pts_ticks;  // ascending; their number is the number of frames
};

class Video {
 public:
  virtual ~Video() = default;
  virtual const VideoTimeline& timeline() const = 0;
  // The frames of these numbers (positions in frame_pts_ticks), in the order asked, turned as the
  // file says unless it was opened otherwise. Decodes from the key frame before each and no more
  // than once over. One thread at a time. kInvalidArgument for a number that is no frame,
  // kDataLoss where a frame does not decode, kDeadlineExceeded beyond the time limit.
  virtual Result<std::vector<Picture>> frames(std::span<const std::int64_t> numbers) = 0;
};

}  // namespace contra4::media
