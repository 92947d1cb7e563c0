// A decoded frame of FFmpeg as RGB.
#pragma once

#include <string_view>

#include "contra4/base/error.h"
#include "contra4/media/codecs/ffmpeg.h"
#include "contra4/media/picture.h"

namespace contra4::media {

// Converts one frame after the other, keeping the tables where frames are alike. One thread at a
// time.
//   RGB, grey and palettes: exactly; alpha is dropped; of 16 bits the upper eight.
//   YCbCr: by the frame's matrix and range; BT.601, limited range, where it names none.
// kUnimplemented for pixels that are neither, such as floating point.
class FrameColors {
 public:
  Result<Picture> convert(const AVFrame& frame, std::string_view name);

 private:
  // All that a conversion depends on.
  struct Layout {
    int width = 0;
    int height = 0;
    int format = AV_PIX_FMT_NONE;
    int matrix = 0;
    bool has_full_range = false;

    bool operator==(const Layout&) const = default;
  };

  Result<Picture> convert_luma_chroma(const AVFrame& frame, std::string_view name);
  Result<void> prepare(const Layout& layout, std::string_view name);

  Scaler scaler_;
  Layout layout_;  // that scaler_ was made for
  Frame rgb_;      // its output; the conversion writes whole vectors, beyond the end of a row
};

// YUV 4:2:0 as libwebp shows it: its own fixed-point matrix, chroma interpolated from the nearest
// four with weights 9, 3, 3, 1. Source: RFC 9649 leaves it open; libwebp's documented default.
//   frame  AV_PIX_FMT_YUV420P or AV_PIX_FMT_YUVA420P
Picture convert_webp_colors(const AVFrame& frame);

}  // namespace contra4::media
