#include "contra4/media/codecs/whole_file.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <fmt/format.h>

#include "contra4/media/codecs/file_numbers.h"

namespace contra4::media {

namespace {

using namespace std::string_view_literals;

// How long a file says to be, 0 for unknown. Only compared: a hostile length costs nothing.
using Length = std::uint64_t;

FileNumbers big_endian(std::string_view bytes) {
  return {bytes, ByteOrder::kBigEndian};
}
FileNumbers little_endian(std::string_view bytes) {
  return {bytes, ByteOrder::kLittleEndian};
}

// Every walk below ends at the end of the file, or with a length that goes beyond it.
Length beyond(std::string_view bytes) {
  return Length{bytes.size()} + 1;
}

// Segments with their size, then coded data in which 0xff is followed by a zero or a restart mark.
Length jpeg_length(std::string_view bytes) {
  const FileNumbers numbers = big_endian(bytes);
  Length at = 2;
  while ((at = bytes.find('\xff', at)) != std::string_view::npos) {
    const auto marker = numbers.find(at + 1, 1);
    if (!marker) break;
    if (*marker == 0xd9) return at + 2;
    const bool has_size = *marker >= 0xc0 && *marker < 0xff && (*marker < 0xd0 || *marker > 0xd8);
    at += *marker == 0xff ? 1 : 2;
    if (has_size) at += numbers.find(at, 2).value_or(2);
  }
  return beyond(bytes);
}

Length png_length(std::string_view bytes) {
  constexpr Length kFrame = 12;  // size, name and checksum of a chunk
  Length at = 8;
  while (const auto size = big_endian(bytes).find(at, 4)) {
    const bool is_last = bytes.substr(at + 4, 4) == "IEND";
    at += kFrame + *size;
    if (is_last) return at;
  }
  return beyond(bytes);
}

// To the end of the first picture.
Length gif_length(std::string_view bytes) {
  const FileNumbers numbers = little_endian(bytes);
  const auto table_bytes = [&](Length flags_at) -> Length {
    const std::uint64_t flags = numbers.find(flags_at, 1).value_or(0);
    return (flags & 0x80U) != 0 ? Length{3} << ((flags & 7U) + 1) : 0;
  };
  Length at = 13 + table_bytes(10);
  while (const auto kind = numbers.find(at, 1)) {
    const bool is_picture = *kind == 0x2c;
    if (!is_picture && *kind != 0x21) return 0;  // no block: for the decoder to judge
    at += is_picture ? 11 + table_bytes(at + 9) : 2;
    while (numbers.find(at, 1).value_or(0) != 0) at += 1 + *numbers.find(at, 1);
    ++at;  // the empty block at the end
    if (is_picture) return at;
  }
  return beyond(bytes);
}

// Rows of whole four bytes, unless they are packed.
Length bmp_length(std::string_view bytes) {
  constexpr std::uint64_t kFirstWithWideSizes = 40;
  const FileNumbers numbers = little_endian(bytes);
  const std::uint64_t compression = numbers.find(30, 4).value_or(1);
  const bool is_packed = compression != 0 && compression != 3;
  if (numbers.find(14, 4).value_or(0) < kFirstWithWideSizes || is_packed) return 0;
  const auto size = [&](std::uint64_t at) {
    return std::abs(std::int64_t{static_cast<std::int32_t>(numbers.find(at, 4).value_or(0))});
  };
  const std::uint64_t row_bits = static_cast<std::uint64_t>(size(18)) * *numbers.find(28, 2);
  return *numbers.find(10, 4) + (row_bits + 31) / 32 * 4 * static_cast<std::uint64_t>(size(22));
}

// The chunk that holds the samples: writers into a pipe leave 0 or the largest number there.
Length wav_length(std::string_view bytes) {
  constexpr Length kLongestKnown = 0x7fff'0000;
  Length at = 12;
  while (const auto size = little_endian(bytes).find(at + 4, 4)) {
    const bool is_data = bytes.substr(at, 4) == "data";
    if (is_data) return *size == 0 || *size >= kLongestKnown ? 0 : at + 8 + *size;
    at += 8 + *size + *size % 2;
  }
  return 0;
}

Length riff_length(std::string_view bytes) {
  return 8 + little_endian(bytes).find(4, 4).value_or(0);
}

Length iso_length(std::string_view bytes) {
  const FileNumbers numbers = big_endian(bytes);
  Length at = 0;
  while (auto size = numbers.find(at, 4)) {
    if (*size == 0) return 0;  // to the end of the file
    if (*size == 1) size = numbers.find(at + 8, 8);
    if (!size) return beyond(bytes);
    if (*size < 8 || *size > UINT64_MAX - at) return 0;  // no box: for the decoder to judge
    at += *size;
  }
  return at;
}

Length ogg_length(std::string_view bytes) {
  constexpr Length kHead = 27;
  Length at = 0;
  while (at < bytes.size() && bytes.substr(at, 4) == "OggS") {
    const auto num_segments = big_endian(bytes).find(at + kHead - 1, 1);
    if (!num_segments || at + kHead + *num_segments > bytes.size()) return beyond(bytes);
    Length size = kHead + *num_segments;
    for (const char segment : bytes.substr(at + kHead, *num_segments)) {
      size += static_cast<std::uint8_t>(segment);
    }
    at += size;
  }
  return at;
}

// EBML: a number's leading zeros say how many more bytes it has; all ones mean unknown.
struct EbmlNumber {
  std::size_t num_bytes = 0;
  Length value = 0;
  bool is_unknown = false;
};

EbmlNumber read_ebml(std::string_view bytes) {
  if (bytes.empty()) return {};
  const auto first = static_cast<std::uint8_t>(bytes[0]);
  const auto num_bytes = static_cast<std::size_t>(std::countl_zero(first)) + 1;
  if (num_bytes > 8 || num_bytes > bytes.size()) return {};
  const Length mask = (Length{1} << (7 * num_bytes)) - 1;
  const Length value = big_endian(bytes).find(0, num_bytes).value_or(0) & mask;
  return {num_bytes, value, value == mask};
}

Length matroska_length(std::string_view bytes) {
  constexpr std::size_t kIdBytes = 4;
  const EbmlNumber head = read_ebml(bytes.substr(kIdBytes));
  if (head.num_bytes == 0 || head.value > bytes.size()) return 0;
  const std::size_t segment = kIdBytes + head.num_bytes + head.value;
  if (segment > bytes.size() || !bytes.substr(segment).starts_with("\x18\x53\x80\x67"sv)) return 0;
  const EbmlNumber size = read_ebml(bytes.substr(segment + kIdBytes));
  if (size.num_bytes == 0 || size.is_unknown) return 0;
  return segment + kIdBytes + size.num_bytes + size.value;
}

// By the bytes at a fixed place. Old QuickTime files start with another box than ftyp.
struct Kind {
  std::size_t at;
  std::string_view bytes;
  Length (*length)(std::string_view bytes);
};
constexpr std::array kKinds = {
    Kind{0, "\xff\xd8\xff"sv, jpeg_length}, Kind{0, "\x89PNG"sv, png_length},
    Kind{0, "GIF8"sv, gif_length},          Kind{0, "BM"sv, bmp_length},
    Kind{0, "OggS"sv, ogg_length},          Kind{0, "\x1a\x45\xdf\xa3"sv, matroska_length},
    Kind{8, "WAVE"sv, wav_length},          Kind{8, "WEBP"sv, riff_length},
    Kind{8, "AVI "sv, riff_length},         Kind{4, "ftyp"sv, iso_length},
    Kind{4, "moov"sv, iso_length},          Kind{4, "mdat"sv, iso_length},
    Kind{4, "wide"sv, iso_length},
};

Length stated_length(std::string_view bytes) {
  for (const Kind& kind : kKinds) {
    const bool is_it = bytes.size() > kind.at && bytes.substr(kind.at).starts_with(kind.bytes);
    if (is_it) return kind.length(bytes);
  }
  return 0;
}

}  // namespace

std::optional<Error> cut_file(std::string_view bytes, std::string_view name) {
  const Length length = stated_length(bytes);
  if (length <= bytes.size()) return std::nullopt;
  return Error{ErrorCode::kDataLoss,
               fmt::format("{}: cut file, it has {} bytes and goes on beyond them; load it again",
                           name, bytes.size())};
}

}  // namespace contra4::media
