// Numbers at any place of a hostile file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace contra4::media {

enum class ByteOrder { kLittleEndian, kBigEndian };

class FileNumbers {
 public:
  FileNumbers(std::string_view bytes, ByteOrder order) : bytes_(bytes), order_(order) {}

  // The unsigned number of `size` bytes, 1 to 8; nothing where the file ends before.
  std::optional<std::uint64_t> find(std::uint64_t at, std::size_t size) const;

 private:
  std::string_view bytes_;
  ByteOrder order_;
};

// The value of a tag of one SHORT in the first directory of a TIFF file, which an EXIF block is
// too. Nothing where there is no such tag, or no such file. Source: TIFF 6.0, section 2.
std::optional<std::uint32_t> find_tiff_short(std::string_view tiff, std::uint32_t tag);

}  // namespace contra4::media
