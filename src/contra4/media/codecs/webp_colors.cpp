#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "contra4/media/codecs/frame_colors.h"

namespace contra4::media {

namespace {

// Chroma of a row of the picture, before the horizontal step: nearest row times three plus the next
// nearest, in quarters.
struct ChromaRows {
  const std::uint8_t* near;
  const std::uint8_t* far;
};

ChromaRows rows_for(const AVFrame& frame, int plane, int y) {
  const int last = (frame.height + 1) / 2 - 1;
  const int near = y / 2;
  const int far = std::clamp(y % 2 == 0 ? near - 1 : near + 1, 0, last);
  const std::ptrdiff_t stride = frame.linesize[plane];
  return {frame.data[plane] + near * stride, frame.data[plane] + far * stride};
}

int interpolate(const ChromaRows& rows, int x, int last) {
  const int near = x / 2;
  const int far = std::clamp(x % 2 == 0 ? near - 1 : near + 1, 0, last);
  return (9 * rows.near[near] + 3 * rows.near[far] + 3 * rows.far[near] + rows.far[far] + 8) >> 4;
}

std::uint8_t clip(int value) {
  return static_cast<std::uint8_t>(std::clamp(value >> 6, 0, 255));
}

int product(int value, int factor) {
  return (value * factor) >> 8;
}

}  // namespace

Picture convert_webp_colors(const AVFrame& frame) {
  Picture picture{.width = frame.width, .height = frame.height, .rgb = {}};
  picture.rgb.resize(static_cast<std::size_t>(frame.width) *
                     static_cast<std::size_t>(frame.height) * 3);
  const int last = (frame.width + 1) / 2 - 1;
  std::uint8_t* out = picture.rgb.data();
  for (int y = 0; y < frame.height; ++y) {
    const std::uint8_t* luma = frame.data[0] + static_cast<std::ptrdiff_t>(y) * frame.linesize[0];
    const ChromaRows u_rows = rows_for(frame, 1, y);
    const ChromaRows v_rows = rows_for(frame, 2, y);
    for (int x = 0; x < frame.width; ++x) {
      // BT.601, limited range, with 14 fractional bits of which eight are dropped at once.
      const int light = product(luma[x], 19077);
      const int u = interpolate(u_rows, x, last);
      const int v = interpolate(v_rows, x, last);
      *out++ = clip(light + product(v, 26149) - 14234);
      *out++ = clip(light - product(u, 6419) - product(v, 13320) + 8708);
      *out++ = clip(light + product(u, 33050) - 17685);
    }
  }
  return picture;
}

}  // namespace contra4::media
