#include "contra4/media/codecs/jpeg_codec.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <turbojpeg.h>

#include "contra4/media/codecs/limits.h"

namespace contra4::media {

namespace {

using namespace std::string_view_literals;

struct HandleDeleter {
  void operator()(void* handle) const { tjDestroy(handle); }
};
using Handle = std::unique_ptr<void, HandleDeleter>;

struct BufferDeleter {
  void operator()(unsigned char* buffer) const { tjFree(buffer); }
};
using Buffer = std::unique_ptr<unsigned char, BufferDeleter>;

// What a scan costs at least even where it says nothing of a pixel; a tenth of a slow core's rate.
constexpr double kPixelsOfAScanPerSecond = 50e6;

Error broken(std::string_view name, std::string_view reason) {
  return Error{ErrorCode::kDataLoss,
               fmt::format("{}: broken JPEG ({}); cut download?", name, reason)};
}

std::size_t count_scans(std::string_view bytes) {
  constexpr std::string_view kStartOfScan = "\xff\xda"sv;
  std::size_t count = 0;
  for (std::size_t at = 0; (at = bytes.find(kStartOfScan, at)) != std::string_view::npos; ++at) {
    ++count;
  }
  return count;
}

// x * y / 255, rounded.
std::uint8_t scale(std::uint8_t x, std::uint8_t y) {
  const std::uint32_t product = std::uint32_t{x} * y + 128;
  return static_cast<std::uint8_t>((product + (product >> 8U)) >> 8U);
}

// [pixels, 4] stored ink, 255 for none, to [pixels, 3]. In Pillow's steps: the file is inverted,
// then colour = (255 - black) - ink * (255 - black) / 255, so that rounding falls the same way.
std::vector<std::uint8_t> rgb_of_inverted_ink(const std::vector<std::uint8_t>& stored) {
  std::vector<std::uint8_t> rgb(stored.size() / 4 * 3);
  for (std::size_t i = 0, o = 0; i < stored.size(); i += 4, o += 3) {
    const std::uint8_t white = stored[i + 3];
    for (std::size_t c = 0; c < 3; ++c) {
      const auto ink = static_cast<std::uint8_t>(255 - stored[i + c]);
      rgb[o + c] = static_cast<std::uint8_t>(white - scale(ink, white));
    }
  }
  return rgb;
}

}  // namespace

bool is_jpeg(std::string_view bytes) {
  return bytes.starts_with("\xff\xd8\xff"sv);
}

Result<Picture> decode_jpeg(std::string_view bytes, std::string_view name,
                            const DecodeLimits& limits) {
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());  // NOLINT(*-cast): C API
  const Handle handle(tjInitDecompress());
  CONTRA4_CHECK(handle != nullptr, "no JPEG decoder");
  Picture picture;
  int subsampling = 0;
  int color_space = -1;
  // It also fails for chroma of an unusual layout, which decodes all the same; then size and colour
  // space are there.
  const int status = tjDecompressHeader3(handle.get(), data, bytes.size(), &picture.width,
                                         &picture.height, &subsampling, &color_space);
  if (status != 0 && (picture.width < 1 || picture.height < 1 || color_space < 0)) {
    return broken(name, tjGetErrorStr2(handle.get()));
  }
  if (auto error = too_many_pixels(name, picture.width, picture.height, limits)) {
    return *std::move(error);
  }
  const double num_pixels = static_cast<double>(picture.width) * picture.height;
  const std::size_t num_scans = count_scans(bytes);
  if (num_pixels * static_cast<double>(num_scans) > limits.max_seconds * kPixelsOfAScanPerSecond) {
    return Error{ErrorCode::kDeadlineExceeded,
                 fmt::format("{}: {} x {} pixels in {} scans may take longer than {} s", name,
                             picture.width, picture.height, num_scans, limits.max_seconds)};
  }
  const bool is_ink = color_space == TJCS_CMYK || color_space == TJCS_YCCK;
  const std::size_t num_channels = is_ink ? 4 : 3;
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(picture.width) *
                                   static_cast<std::size_t>(picture.height) * num_channels);
  const int decoded = tjDecompress2(handle.get(), data, bytes.size(), pixels.data(), picture.width,
                                    0, picture.height, is_ink ? TJPF_CMYK : TJPF_RGB,
                                    TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS);
  if (decoded != 0) {
    const std::string_view reason = tjGetErrorStr2(handle.get());
    // A warning leaves a picture. Bytes too many between two segments are common and harmless;
    // where data ends early, grey has been made up.
    const bool is_fatal = tjGetErrorCode(handle.get()) == TJERR_FATAL;
    const bool is_cut = reason.find("remature end") != std::string_view::npos;
    if (is_fatal || is_cut) return broken(name, reason);
  }
  picture.rgb = is_ink ? rgb_of_inverted_ink(pixels) : std::move(pixels);
  return picture;
}

Result<std::string> encode_jpeg(const Picture& picture, int quality) {
  if (auto error = wrong_shape(picture)) return *std::move(error);
  if (quality < 1 || quality > 100) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("a JPEG has a quality from 1 to 100, not {}", quality)};
  }
  const Handle handle(tjInitCompress());
  CONTRA4_CHECK(handle != nullptr, "no JPEG encoder");
  unsigned char* written = nullptr;
  unsigned long size = 0;  // NOLINT(*-int): as the library has it
  const int status =
      tjCompress2(handle.get(), picture.rgb.data(), picture.width, 0, picture.height, TJPF_RGB,
                  &written, &size, TJSAMP_420, quality, TJFLAG_ACCURATEDCT);
  const Buffer buffer(written);
  if (status != 0) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("no JPEG of {} x {}: {}", picture.width, picture.height,
                             tjGetErrorStr2(handle.get()))};
  }
  return std::string(buffer.get(), buffer.get() + size);
}

}  // namespace contra4::media
