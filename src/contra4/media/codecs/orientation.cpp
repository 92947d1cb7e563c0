#include "contra4/media/codecs/orientation.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "contra4/base/error.h"
#include "contra4/media/codecs/file_numbers.h"

namespace contra4::media {

namespace {

using namespace std::string_view_literals;

// `tiff` starts with the byte order.
int orientation_of_tiff(std::string_view tiff) {
  constexpr std::uint32_t kOrientationTag = 0x0112;
  const std::uint32_t value = find_tiff_short(tiff, kOrientationTag).value_or(kUpright);
  return value >= 1 && value <= 8 ? static_cast<int>(value) : kUpright;
}

// The segments between the start of a JPEG file and its first scan.
std::string_view exif_of_jpeg(std::string_view file) {
  constexpr std::string_view kExif = "Exif\0\0"sv;
  const FileNumbers numbers(file, ByteOrder::kBigEndian);
  std::uint64_t at = 2;
  while (numbers.find(at, 1) == 0xffU) {
    const std::uint64_t marker = numbers.find(at + 1, 1).value_or(0xda);
    if (marker == 0xff) {  // a byte of padding
      ++at;
      continue;
    }
    const auto size = numbers.find(at + 2, 2);
    if (marker == 0xda || !size || *size < 2) return {};
    const std::string_view content = file.substr(at + 4, *size - 2);
    if (marker == 0xe1 && content.starts_with(kExif)) return content.substr(kExif.size());
    at += 2 + *size;
  }
  return {};
}

// PNG and RIFF: chunks of a size and a name, in either order.
struct ChunkLayout {
  std::size_t first;
  ByteOrder order;
  std::size_t size_at;
  std::size_t name_at;
  std::size_t trailer;    // of each chunk
  std::size_t alignment;  // of chunks
  std::string_view name;  // of the chunk that holds EXIF
};
constexpr ChunkLayout kPngChunks{8, ByteOrder::kBigEndian, 0, 4, 4, 1, "eXIf"};
constexpr ChunkLayout kWebpChunks{12, ByteOrder::kLittleEndian, 4, 0, 0, 2, "EXIF"};

std::string_view find_chunk(std::string_view file, const ChunkLayout& layout) {
  const FileNumbers numbers(file, layout.order);
  std::uint64_t at = layout.first;
  while (const auto size = numbers.find(at + layout.size_at, 4)) {
    if (at + 8 > file.size()) break;
    if (file.substr(at + layout.name_at, 4) == layout.name) return file.substr(at + 8, *size);
    at += 8 + *size + *size % layout.alignment + layout.trailer;
  }
  return {};
}

// Some writers of WebP keep the head that JPEG wants.
std::string_view without_jpeg_head(std::string_view exif) {
  return exif.starts_with("Exif\0\0"sv) ? exif.substr(6) : exif;
}

}  // namespace

int read_exif_orientation(std::string_view file) {
  if (file.starts_with("\xff\xd8"sv)) return orientation_of_tiff(exif_of_jpeg(file));
  if (file.starts_with("\x89PNG"sv)) return orientation_of_tiff(find_chunk(file, kPngChunks));
  if (file.starts_with("RIFF"sv)) {
    return orientation_of_tiff(without_jpeg_head(find_chunk(file, kWebpChunks)));
  }
  return orientation_of_tiff(file);
}

Picture turned(Picture picture, int orientation) {
  CONTRA4_CHECK(orientation >= 1 && orientation <= 8, "no such orientation");
  if (orientation == kUpright) return picture;
  const std::ptrdiff_t width = picture.width;
  const std::ptrdiff_t height = picture.height;
  // Where the pixel at the top left comes from, and how far apart neighbours in a row and in a
  // column of the result lie in the source.
  struct Walk {
    std::ptrdiff_t start;
    std::ptrdiff_t step_x;
    std::ptrdiff_t step_y;
  };
  const std::ptrdiff_t right = width - 1;
  const std::ptrdiff_t bottom = (height - 1) * width;
  const std::array<Walk, 8> walks = {Walk{0, 1, width},
                                     Walk{right, -1, width},
                                     Walk{bottom + right, -1, -width},
                                     Walk{bottom, 1, -width},
                                     Walk{0, width, 1},
                                     Walk{bottom, -width, 1},
                                     Walk{bottom + right, -width, -1},
                                     Walk{right, width, -1}};
  const Walk walk = walks[static_cast<std::size_t>(orientation - 1)];
  const bool swaps = orientation >= 5;
  Picture result{.width = swaps ? picture.height : picture.width,
                 .height = swaps ? picture.width : picture.height,
                 .rgb = std::vector<std::uint8_t>(picture.rgb.size())};
  std::uint8_t* out = result.rgb.data();
  for (std::ptrdiff_t y = 0; y < result.height; ++y) {
    const std::uint8_t* in = picture.rgb.data() + 3 * (walk.start + y * walk.step_y);
    for (std::ptrdiff_t x = 0; x < result.width; ++x) {
      std::memcpy(out, in + 3 * x * walk.step_x, 3);
      out += 3;
    }
  }
  return result;
}

}  // namespace contra4::media
