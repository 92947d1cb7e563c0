// Any bytes as an .npy file and as an npz: refused with a message, or an array whose bytes are
// those of its shape, which survives being written and read again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "contra4/io/npy.h"

namespace {

constexpr std::uint64_t kMostBytes = 1U << 20;

void require(bool condition) {
  if (!condition) std::abort();
}

void check(const contra4::Result<contra4::io::NpyArray>& array) {
  if (!array) {
    require(array.error().message.starts_with("fuzz: "));
    return;
  }
  std::uint64_t bytes = contra4::io::bytes_per_element(array->type);
  for (const std::int64_t extent : array->shape) {
    require(extent >= 0);
    bytes *= static_cast<std::uint64_t>(extent);
  }
  require(bytes == array->bytes.size() && bytes <= kMostBytes);
  require(array->to_float32().size() == static_cast<std::size_t>(array->num_elements()));
  require(array->to_float64().size() == static_cast<std::size_t>(array->num_elements()));
  const auto again = contra4::io::parse_npy(contra4::io::write_npy(*array), "fuzz", kMostBytes);
  require(again.has_value() && again->shape == array->shape && again->bytes == array->bytes);
}

}  // namespace

// The input as it is, and behind the magic and a length that is right: the second gets past the
// first ten bytes without luck.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  check(contra4::io::parse_npy(input, "fuzz", kMostBytes));
  const std::size_t header_bytes = std::min(input.find('\n'), input.size()) & 0xFFFFU;
  std::string file = "\x93NUMPY\x01";
  file += '\0';
  file += static_cast<char>(header_bytes & 0xFFU);
  file += static_cast<char>(header_bytes >> 8);
  file.append(input.substr(0, header_bytes));
  if (header_bytes < input.size()) file.append(input.substr(header_bytes + 1));
  check(contra4::io::parse_npy(file, "fuzz", kMostBytes));

  if (const auto names = contra4::io::npz_names(input, "fuzz")) {
    for (const std::string& name : *names) {
      check(contra4::io::read_npz(input, name, "fuzz", kMostBytes));
    }
  }
  return 0;
}
