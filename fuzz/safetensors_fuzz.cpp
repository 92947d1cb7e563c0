// Any bytes as a safetensors file: refused with a message, or every tensor lies inside the file and
// has the bytes that its shape needs.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "contra4/io/safetensors.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void check(std::string_view file) {
  const auto header = contra4::io::parse_safetensors(file, "fuzz");
  if (!header) {
    require(header.error().code == contra4::ErrorCode::kDataLoss);
    require(header.error().message.starts_with("fuzz: "));
    return;
  }
  std::uint64_t sum = 0;
  for (const contra4::io::TensorEntry& tensor : header->tensors) {
    require(tensor.offset <= file.size() && tensor.num_bytes <= file.size() - tensor.offset);
    std::uint64_t bytes = contra4::io::bytes_per_element(tensor.type);
    for (const std::int64_t size : tensor.shape) {
      require(size >= 0);
      bytes *= static_cast<std::uint64_t>(size);
    }
    require(bytes == tensor.num_bytes);
    sum += bytes;
  }
  require(sum < file.size());
}

}  // namespace

// The input as it is, and as the header of a file whose length prefix is right: the second gets
// past the first eight bytes without luck.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  check(input);
  const std::size_t header_bytes =
      input.find('\n') == std::string_view::npos ? input.size() : input.find('\n');
  std::string file(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) {
    file[i] = static_cast<char>((static_cast<std::uint64_t>(header_bytes) >> (8 * i)) & 0xFFU);
  }
  file.append(input.substr(0, header_bytes));
  if (header_bytes < input.size()) file.append(input.substr(header_bytes + 1));
  check(file);
  return 0;
}
