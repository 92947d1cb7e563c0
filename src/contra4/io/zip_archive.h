// Members of a zip file, found without reading it from end to end. Own code instead of a library
// because stored members are used in place: PyTorch's checkpoints are mapped, never copied.
// Source: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 to 4.5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"

namespace contra4::io {

// How the bytes of a member lie in the file.
enum class ZipPacking {
  kStored,
  kDeflated,
  kUnreadable,  // encrypted, or packed otherwise
};

struct ZipMember {
  std::string name;
  ZipPacking packing = ZipPacking::kStored;
  std::uint64_t offset = 0;  // of its first packed byte, from the start of the file
  std::uint64_t packed_bytes = 0;
  std::uint64_t num_bytes = 0;  // when unpacked, as the directory says
  std::uint32_t crc32 = 0;
};

// Whether the file begins as a zip does; nothing else is looked at.
bool looks_like_zip(std::string_view file);

// Any number of threads may read.
class ZipArchive {
 public:
  // The central directory of a whole file, zip64 included. Every range is checked against the bytes
  // that are there and against the others: members neither overlap nor reach into the directory,
  // local headers agree with it, no name is there twice. kDataLoss with `what`, the member and the
  // reason; kUnimplemented for archives in several files. `file` has to outlive the archive.
  static Result<ZipArchive> parse(std::string_view file, std::string_view what);

  const std::vector<ZipMember>& members() const { return members_; }  // as in the directory
  const ZipMember* find(std::string_view name) const;                 // null: none of that name

  // The bytes of a stored member, in the file, not compared with the checksum: that would read them
  // all. kUnimplemented for members that are packed.
  Result<std::string_view> stored(const ZipMember& member) const;
  // Unpacked and compared with the checksum. kResourceExhausted above `max_bytes`; never takes more
  // memory than the directory promises, kDataLoss when the member has more or less than that.
  Result<std::string> read(const ZipMember& member, std::uint64_t max_bytes) const;

 private:
  ZipArchive(std::string_view file, std::string_view what) : file_(file), what_(what) {}
  Error error_at(const ZipMember& member, ErrorCode code, std::string_view reason) const;
  std::string_view packed(const ZipMember& member) const;

  std::string_view file_;
  std::string what_;
  std::vector<ZipMember> members_;
  std::vector<std::size_t> by_name_;  // places in members_
};

}  // namespace contra4::io
