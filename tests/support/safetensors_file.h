// Writes safetensors files for tests.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace contra4::testing {

struct StoredTensor {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::string bytes;
};

StoredTensor stored_float32(std::string name, std::vector<std::int64_t> shape,
                            const std::vector<float>& values);

// A whole file: header and data.
std::string safetensors_bytes(const std::vector<StoredTensor>& tensors);
// The same from a header written by hand, for broken ones.
std::string safetensors_bytes(std::string_view header, std::string_view data);

void write_safetensors(const std::filesystem::path& path, const std::vector<StoredTensor>& tensors);

}  // namespace contra4::testing
