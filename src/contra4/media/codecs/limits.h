// What every codec asks before it allocates, and while it works.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "contra4/base/error.h"
#include "contra4/media/decoder.h"
#include "contra4/media/picture.h"

namespace contra4::media {

// kDataLoss for a size that is not positive, kResourceExhausted above limits.max_pixels.
std::optional<Error> too_many_pixels(std::string_view name, int width, int height,
                                     const DecodeLimits& limits);

// kInvalidArgument for a picture without pixels, or with others than its size says.
std::optional<Error> wrong_shape(const Picture& picture);

// The end of the time that one call may take.
class Deadline {
 public:
  explicit Deadline(const DecodeLimits& limits);
  bool has_passed() const { return std::chrono::steady_clock::now() >= end_; }
  Error error(std::string_view name) const;  // kDeadlineExceeded

 private:
  double max_seconds_;
  std::chrono::steady_clock::time_point end_;
};

}  // namespace contra4::media
