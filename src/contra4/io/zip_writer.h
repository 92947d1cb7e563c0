// Writes zip files of stored members, front to back, in pieces of any size.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "contra4/io/bulk_file.h"

namespace contra4::io {

// Members lie at multiples of 64 bytes, so that who maps the file finds every element aligned; what
// lies before is an extra field as PyTorch writes it. Checksums follow the bytes, because nobody
// knows them before; the directory at the end has them too. The same members give the same file: no
// time is written.
// Source: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 to 4.5.
class ZipWriter {
 public:
  // Sizes and places from which on the numbers of zip64 are used; tests lower it.
  static constexpr std::uint64_t kZip64From = 0xFFFFFFFF;

  // Throws as BulkFile.
  explicit ZipWriter(const std::filesystem::path& path, std::uint64_t zip64_from = kZip64From);

  // Names must differ and be UTF-8. The bytes come by write(), exactly so many before the next
  // member or the end.
  void begin_member(std::string_view name, std::uint64_t num_bytes);
  void write(std::string_view bytes);
  void add_member(std::string_view name, std::string_view bytes);
  // Once. The file appears under its name.
  void commit();

 private:
  void end_member();
  void put(std::string_view bytes);  // into the file
  void put_directory();

  struct Member {
    std::string name;
    std::uint64_t num_bytes = 0;
    std::uint64_t offset = 0;  // of its local header
    std::uint32_t crc32 = 0;
  };
  std::uint64_t zip64_from_;
  BulkFile file_;
  std::uint64_t offset_ = 0;  // bytes put
  bool is_open_ = false;
  Member member_;
  std::uint64_t num_missing_ = 0;  // bytes of member_
  std::string directory_;
  std::uint64_t num_members_ = 0;
};

}  // namespace contra4::io
