// Members of a zip file, found without reading it from end to end. Own code instead of a library
// because stored members are used in place: PyTorch's checkpoints are mapped, never copied.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"

namespace contra4::io {

struct ZipMember {
  std::string name;
  bool is_deflated = false;       // otherwise stored
  std::uint64_t offset = 0;       // of its first packed byte, from the start of the file
  std::uint64_t packed_bytes = 0;
  std::uint64_t num_bytes = 0;    // when unpacked
  std::uint32_t crc32 = 0;
};

class ZipArchive {
 public:
  // The central directory of a whole file, zip64 included; every range is checked against the
  // bytes that are there, local headers against the directory. kDataLoss with `what`, the member
  // and the reason. Encrypted, split and other packed members are refused when they are read.
  static Result<ZipArchive> parse(std::string_view file, std::string_view what);

  const std::vector<ZipMember>& members() const { return members_; }  // as in the directory
  const ZipMember* find(std::string_view name) const;                 // null: none of that name
  // The bytes of a stored member, in `file`.
  Result<std::string_view> stored(const ZipMember& member) const;
  // Unpacked and compared with its checksum; kResourceExhausted above `max_bytes`, also when the
  // member lies about its size.
  Result<std::string> read(const ZipMember& member, std::uint64_t max_bytes) const;

 private:
  std::string_view file_;  // outlives this
  std::string what_;
  std::vector<ZipMember> members_;
};

}  // namespace contra4::io
