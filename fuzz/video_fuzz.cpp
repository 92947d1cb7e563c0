// Any bytes as a video: refused with a message, or a time line in order, and pictures of the size
// that they say, within the limit.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "contra4/media/codecs/codecs.h"

namespace {

using contra4::media::Video;
using contra4::media::VideoTimeline;

constexpr contra4::media::VideoOptions kOptions = {
    .limits = {.max_pixels = 1 << 16, .max_frames = 256, .max_seconds = 5}};

void require(bool holds) {
  if (!holds) std::abort();
}

void check_timeline(const VideoTimeline& timeline) {
  const auto& times = timeline.frame_pts_ticks;
  require(!times.empty() && std::is_sorted(times.begin(), times.end()));
  require(static_cast<std::int64_t>(times.size()) <= kOptions.limits.max_frames);
  require(timeline.time_base.denominator > 0 && timeline.average_fps.denominator > 0);
}

void check_frames(Video& video) {
  const auto count = static_cast<std::int64_t>(video.timeline().frame_pts_ticks.size());
  const std::array<std::int64_t, 3> numbers = {count - 1, 0, count / 2};
  const auto pictures = video.frames(numbers);
  if (!pictures) {
    require(pictures.error().code != contra4::ErrorCode::kInternal);
    return;
  }
  require(pictures->size() == numbers.size());
  for (const auto& picture : *pictures) {
    const std::int64_t pixels = std::int64_t{picture.width} * picture.height;
    require(pixels > 0 && pixels <= kOptions.limits.max_pixels);
    require(picture.rgb.size() == 3 * static_cast<std::size_t>(pixels));
  }
  require(!video.frames(std::array<std::int64_t, 1>{count}));
  // Another seek to the same place.
  const auto again = video.frames(numbers);
  if (again) require(again->size() == numbers.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE(*-reinterpret-cast): bytes as libFuzzer gives them
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto video = contra4::media::linked_decoder().open_video(bytes, "fuzz", kOptions);
  if (!video) {
    require(video.error().message.find("fuzz") != std::string_view::npos);
    require(video.error().code != contra4::ErrorCode::kInternal);
    return 0;
  }
  check_timeline((*video)->timeline());
  check_frames(**video);
  return 0;
}
