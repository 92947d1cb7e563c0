#include "contra4/media/codecs/frame_colors.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include <fmt/format.h>

namespace contra4::media {

namespace {

Picture new_picture(const AVFrame& frame) {
  return Picture{.width = frame.width,
                 .height = frame.height,
                 .rgb = std::vector<std::uint8_t>(static_cast<std::size_t>(frame.width) *
                                                  static_cast<std::size_t>(frame.height) * 3)};
}

const std::uint8_t* row_of(const AVFrame& frame, int plane, int y) {
  return frame.data[plane] + static_cast<std::ptrdiff_t>(y) * frame.linesize[plane];
}

Picture convert_palette(const AVFrame& frame) {
  Picture picture = new_picture(frame);
  std::uint8_t* out = picture.rgb.data();
  for (int y = 0; y < frame.height; ++y) {
    const std::uint8_t* row = row_of(frame, 0, y);
    for (int x = 0; x < frame.width; ++x) {
      std::uint32_t color = 0;  // 0xAARRGGBB in the machine's byte order
      std::memcpy(&color, frame.data[1] + 4 * std::size_t{row[x]}, 4);
      *out++ = static_cast<std::uint8_t>(color >> 16U);
      *out++ = static_cast<std::uint8_t>(color >> 8U);
      *out++ = static_cast<std::uint8_t>(color);
    }
  }
  return picture;
}

Picture convert_bits(const AVFrame& frame, std::uint8_t of_zero) {
  Picture picture = new_picture(frame);
  std::uint8_t* out = picture.rgb.data();
  for (int y = 0; y < frame.height; ++y) {
    const std::uint8_t* row = row_of(frame, 0, y);
    for (int x = 0; x < frame.width; ++x) {
      const bool is_set = ((row[x / 8] >> (7 - x % 8)) & 1) != 0;
      std::memset(out, is_set ? 255 - of_zero : of_zero, 3);
      out += 3;
    }
  }
  return picture;
}

// Whole bytes per component: each lies at a fixed distance from the last. Of two bytes the upper
// one counts.
Picture convert_bytes(const AVFrame& frame, const AVPixFmtDescriptor& format) {
  Picture picture = new_picture(frame);
  if (frame.format == AV_PIX_FMT_RGB24) {
    const std::size_t row_bytes = static_cast<std::size_t>(frame.width) * 3;
    for (int y = 0; y < frame.height; ++y) {
      std::memcpy(picture.rgb.data() + static_cast<std::size_t>(y) * row_bytes, row_of(frame, 0, y),
                  row_bytes);
    }
    return picture;
  }
  const bool is_grey = format.nb_components < 3;
  const bool has_low_byte_first = (format.flags & AV_PIX_FMT_FLAG_BE) == 0;
  for (std::size_t c = 0; c < 3; ++c) {
    const AVComponentDescriptor& component = format.comp[is_grey ? 0 : c];
    const int skipped = component.depth == 16 && has_low_byte_first ? 1 : 0;
    std::uint8_t* out = picture.rgb.data() + c;
    for (int y = 0; y < frame.height; ++y) {
      const std::uint8_t* in = row_of(frame, component.plane, y) + component.offset + skipped;
      for (int x = 0; x < frame.width; ++x, in += component.step, out += 3) *out = *in;
    }
  }
  return picture;
}

// Components that share bytes, such as 5, 6 and 5 bits.
Picture convert_any_bits(const AVFrame& frame, const AVPixFmtDescriptor& format) {
  Picture picture = new_picture(frame);
  const std::array<const std::uint8_t*, 4> data = {frame.data[0], frame.data[1], frame.data[2],
                                                   frame.data[3]};
  std::array<const std::uint8_t*, 4> planes = data;
  std::vector<std::uint16_t> row(static_cast<std::size_t>(frame.width));
  for (int c = 0; c < 3; ++c) {
    const int component = format.nb_components < 3 ? 0 : c;
    const int highest = (1 << format.comp[component].depth) - 1;
    std::uint8_t* out = picture.rgb.data() + c;
    for (int y = 0; y < frame.height; ++y) {
      av_read_image_line2(row.data(), planes.data(), frame.linesize, &format, 0, y, component,
                          frame.width, 0, sizeof(std::uint16_t));
      for (const std::uint16_t value : row) {
        *out = static_cast<std::uint8_t>(value * 255 / highest);
        out += 3;
      }
    }
  }
  return picture;
}

bool has_full_range(const AVFrame& frame) {
  return frame.color_range == AVCOL_RANGE_JPEG || frame.format == AV_PIX_FMT_YUVJ420P ||
         frame.format == AV_PIX_FMT_YUVJ422P || frame.format == AV_PIX_FMT_YUVJ444P ||
         frame.format == AV_PIX_FMT_YUVJ440P || frame.format == AV_PIX_FMT_YUVJ411P;
}

// The formats that say "full range" by their name, without it.
AVPixelFormat without_range(int format) {
  switch (format) {
    case AV_PIX_FMT_YUVJ420P:
      return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P:
      return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ444P:
      return AV_PIX_FMT_YUV444P;
    case AV_PIX_FMT_YUVJ440P:
      return AV_PIX_FMT_YUV440P;
    case AV_PIX_FMT_YUVJ411P:
      return AV_PIX_FMT_YUV411P;
    default:
      return static_cast<AVPixelFormat>(format);
  }
}

}  // namespace

Result<Picture> FrameColors::convert(const AVFrame& frame, std::string_view name) {
  const auto id = static_cast<AVPixelFormat>(frame.format);
  if (id == AV_PIX_FMT_PAL8) return convert_palette(frame);
  if (id == AV_PIX_FMT_MONOBLACK) return convert_bits(frame, 0);
  if (id == AV_PIX_FMT_MONOWHITE) return convert_bits(frame, 255);
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(id);
  CONTRA4_CHECK(format != nullptr, "a frame without a pixel format");
  constexpr std::uint64_t kNoPlainNumbers =
      AV_PIX_FMT_FLAG_FLOAT | AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_BAYER;
  if ((format->flags & kNoPlainNumbers) != 0) {
    return Error{ErrorCode::kUnimplemented,
                 fmt::format("{}: pixels of kind '{}' are not read; convert it to 8 bits a channel",
                             name, format->name)};
  }
  if (format->nb_components >= 3 && (format->flags & AV_PIX_FMT_FLAG_RGB) == 0) {
    return convert_luma_chroma(frame, name);
  }
  const int depth = format->comp[0].depth;
  const bool has_whole_bytes =
      (depth == 8 || depth == 16) && (format->flags & AV_PIX_FMT_FLAG_BITSTREAM) == 0;
  return has_whole_bytes ? convert_bytes(frame, *format) : convert_any_bits(frame, *format);
}

Result<void> FrameColors::prepare(const Layout& layout, std::string_view name) {
  const auto format = static_cast<AVPixelFormat>(layout.format);
  scaler_.reset(sws_getContext(layout.width, layout.height, format, layout.width, layout.height,
                               AV_PIX_FMT_RGB24, SWS_BICUBIC, nullptr, nullptr, nullptr));
  if (scaler_ == nullptr) {
    return Error{ErrorCode::kUnimplemented,
                 fmt::format("{}: no conversion of its pixels to RGB", name)};
  }
  constexpr int kOne = 1 << 16;
  sws_setColorspaceDetails(scaler_.get(), sws_getCoefficients(layout.matrix),
                           layout.has_full_range ? 1 : 0, sws_getCoefficients(SWS_CS_DEFAULT), 1, 0,
                           kOne, kOne);
  rgb_ = new_frame();
  rgb_->width = layout.width;
  rgb_->height = layout.height;
  rgb_->format = AV_PIX_FMT_RGB24;
  if (const int status = av_frame_get_buffer(rgb_.get(), 0); status < 0) {
    return ffmpeg_error(name, status);
  }
  layout_ = layout;
  return {};
}

Result<Picture> FrameColors::convert_luma_chroma(const AVFrame& frame, std::string_view name) {
  const Layout layout{.width = frame.width,
                      .height = frame.height,
                      .format = without_range(frame.format),
                      .matrix = frame.colorspace,
                      .has_full_range = has_full_range(frame)};
  if (layout != layout_) {
    layout_ = {};
    if (auto prepared = prepare(layout, name); !prepared) return prepared.error();
  }
  const int num_rows = sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height,
                                 rgb_->data, rgb_->linesize);
  if (num_rows != frame.height) return ffmpeg_error(name, AVERROR_INVALIDDATA);
  return convert_bytes(*rgb_, *av_pix_fmt_desc_get(AV_PIX_FMT_RGB24));
}

}  // namespace contra4::media
