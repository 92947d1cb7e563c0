#include "contra4/media/codecs/limits.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <fmt/format.h>

namespace contra4::media {

std::optional<Error> too_many_pixels(std::string_view name, int width, int height,
                                     const DecodeLimits& limits) {
  if (width < 1 || height < 1) {
    return Error{ErrorCode::kDataLoss,
                 fmt::format("{}: broken file, it says {} x {} pixels", name, width, height)};
  }
  if (std::int64_t{width} * height <= limits.max_pixels) return std::nullopt;
  return Error{ErrorCode::kResourceExhausted,
               fmt::format("{}: {} x {} pixels, at most {} are decoded; make it smaller", name,
                           width, height, limits.max_pixels)};
}

std::optional<Error> wrong_shape(const Picture& picture) {
  const bool has_pixels = picture.width > 0 && picture.height > 0;
  if (has_pixels && picture.rgb.size() == static_cast<std::size_t>(picture.width) *
                                              static_cast<std::size_t>(picture.height) * 3) {
    return std::nullopt;
  }
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("no picture: {} x {} pixels in {} bytes", picture.width, picture.height,
                           picture.rgb.size())};
}

Deadline::Deadline(const DecodeLimits& limits) : max_seconds_(limits.max_seconds) {
  constexpr double kLongestSeconds = 1e9;  // what the clock can count
  const std::chrono::duration<double> span(std::clamp(max_seconds_, 0.0, kLongestSeconds));
  end_ = std::chrono::steady_clock::now() +
         std::chrono::duration_cast<std::chrono::steady_clock::duration>(span);
}

Error Deadline::error(std::string_view name) const {
  return Error{ErrorCode::kDeadlineExceeded,
               fmt::format("{}: decoding takes longer than {} s", name, max_seconds_)};
}

}  // namespace contra4::media
