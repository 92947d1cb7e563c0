// Writes zip files for tests, also such as no writer makes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace contra4::testing {

struct ZipInput {
  std::string name;
  std::string bytes;
  bool is_deflated = false;
  bool is_zip64 = false;        // sizes and place in zip64 fields, small as they are
  bool has_descriptor = false;  // sizes and checksum behind the bytes, zeros in the local header
  // What the headers say instead of the truth.
  std::optional<std::uint32_t> claimed_bytes = std::nullopt;
  std::optional<std::uint32_t> claimed_crc32 = std::nullopt;
  std::optional<std::string> local_name = std::nullopt;
  std::uint16_t flags = 0;                             // others than that of the descriptor
  std::optional<std::uint16_t> method = std::nullopt;  // instead of 0 or 8
  std::string local_extra = {};                        // PyTorch pads with these
};

struct ZipOptions {
  bool is_zip64 = false;  // the end record of zip64 and its locator, as PyTorch writes always
  std::string comment = {};
};

std::string zip_bytes(const std::vector<ZipInput>& members, const ZipOptions& options = {});

}  // namespace contra4::testing
