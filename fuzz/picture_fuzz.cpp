// Any bytes as a picture: refused with a message, or as many pixels as its size says, within the
// limit, which stay the same when they are written as PNG and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "contra4/media/codecs/codecs.h"

namespace {

using contra4::media::Picture;

constexpr contra4::media::DecodeLimits kLimits = {.max_pixels = 1 << 16, .max_seconds = 5};
constexpr int kMostWrittenPixels = 4096;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_pixels(const Picture& picture) {
  require(picture.width > 0 && picture.height > 0);
  const std::int64_t pixels = std::int64_t{picture.width} * picture.height;
  require(pixels <= kLimits.max_pixels);
  require(picture.rgb.size() == 3 * static_cast<std::size_t>(pixels));
}

void check_written(const Picture& picture) {
  const auto& decoder = contra4::media::linked_decoder();
  if (picture.width * picture.height > kMostWrittenPixels) return;
  const auto png = decoder.encode_png(picture);
  require(png.has_value());
  const auto again = decoder.decode_picture(*png, "written", {.limits = kLimits});
  require(again.has_value() && again->width == picture.width && again->rgb == picture.rgb);
  const auto small = decoder.resize(picture, 5, 3);
  require(small.has_value() && small->rgb.size() == std::size_t{3} * 5 * 3);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE(*-reinterpret-cast): bytes as libFuzzer gives them
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto& decoder = contra4::media::linked_decoder();
  const auto turned = decoder.decode_picture(bytes, "fuzz", {.limits = kLimits});
  if (!turned) {
    require(turned.error().message.find("fuzz") != std::string_view::npos);
    require(turned.error().code != contra4::ErrorCode::kInternal);
    return 0;
  }
  check_pixels(*turned);
  check_written(*turned);
  const auto stored =
      decoder.decode_picture(bytes, "fuzz", {.applies_orientation = false, .limits = kLimits});
  require(stored.has_value() && stored->rgb.size() == turned->rgb.size());
  return 0;
}
