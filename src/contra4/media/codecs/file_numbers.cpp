#include "contra4/media/codecs/file_numbers.h"

namespace contra4::media {

using namespace std::string_view_literals;

std::optional<std::uint64_t> FileNumbers::find(std::uint64_t at, std::size_t size) const {
  if (at > bytes_.size() || bytes_.size() - at < size) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t place = order_ == ByteOrder::kBigEndian ? i : size - 1 - i;
    value = value << 8U | static_cast<std::uint8_t>(bytes_[at + place]);
  }
  return value;
}

std::optional<std::uint32_t> find_tiff_short(std::string_view tiff, std::uint32_t tag) {
  constexpr std::uint64_t kShort = 3;
  constexpr std::uint64_t kEntryBytes = 12;  // tag, type, count, value
  const bool is_big_endian = tiff.starts_with("MM\0*"sv);
  if (!is_big_endian && !tiff.starts_with("II*\0"sv)) return std::nullopt;
  const FileNumbers numbers(tiff, is_big_endian ? ByteOrder::kBigEndian : ByteOrder::kLittleEndian);
  const auto directory = numbers.find(4, 4);
  if (!directory) return std::nullopt;
  const std::uint64_t num_entries = numbers.find(*directory, 2).value_or(0);
  for (std::uint64_t i = 0; i < num_entries; ++i) {
    const std::uint64_t entry = *directory + 2 + kEntryBytes * i;
    const auto found = numbers.find(entry, 2);
    if (!found) return std::nullopt;
    if (*found != tag) continue;
    const auto value = numbers.find(entry + 8, 2);
    const bool is_one_short =
        numbers.find(entry + 2, 2) == kShort && numbers.find(entry + 4, 4) == 1U;
    if (!is_one_short || !value) return std::nullopt;
    return static_cast<std::uint32_t>(*value);
  }
  return std::nullopt;
}

}  // namespace contra4::media
