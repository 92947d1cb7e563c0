#include "contra4/io/zip_writer.h"

#include <algorithm>

#include <zlib.h>

#include "contra4/base/error.h"

namespace contra4::io {

namespace {

constexpr std::uint64_t kAlignment = 64;
constexpr std::uint64_t kLocalBytes = 30;  // without name and extra fields
constexpr std::uint64_t kExtraHeaderBytes = 4;
constexpr std::uint64_t kFull16 = 0xFFFF;
constexpr std::uint64_t kFull32 = 0xFFFFFFFF;
constexpr std::uint64_t kZip64ExtraId = 0x0001;
constexpr std::uint64_t kPaddingExtraId = 0x4246;  // "FB"
constexpr std::uint64_t kVersion = 20;
constexpr std::uint64_t kZip64Version = 45;
// Bit 3: checksum and sizes follow the bytes; bit 11: the name is UTF-8.
constexpr std::uint64_t kFlags = 1U << 3 | 1U << 11;
constexpr std::uint64_t kFirstDay = 1U << 5 | 1U;  // 1980-01-01

// Little-endian.
void append(std::string& out, std::uint64_t value, int num_bytes) {
  for (int i = 0; i < num_bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xFFU);
}

// What local header and directory begin with alike, from the version on. Stored, at midnight.
void append_common(std::string& out, bool is_zip64) {
  append(out, is_zip64 ? kZip64Version : kVersion, 2);
  append(out, kFlags, 2);
  append(out, 0, 2 + 2);
  append(out, kFirstDay, 2);
}

}  // namespace

ZipWriter::ZipWriter(const std::filesystem::path& path, std::uint64_t zip64_from)
    : zip64_from_(std::min(zip64_from, kZip64From)), file_(path, Durability::kSynced) {}

void ZipWriter::begin_member(std::string_view name, std::uint64_t num_bytes) {
  CONTRA4_CHECK(name.size() < kFull16, "a name too long for a zip");
  end_member();
  is_open_ = true;
  num_missing_ = num_bytes;
  member_ = {.name = std::string(name), .num_bytes = num_bytes, .offset = offset_, .crc32 = 0};

  const bool is_zip64 = num_bytes >= zip64_from_;
  std::string extra;
  if (is_zip64) {
    append(extra, kZip64ExtraId, 2);
    append(extra, 16, 2);
    append(extra, num_bytes, 8);
    append(extra, num_bytes, 8);
  }
  const std::uint64_t unpadded =
      offset_ + kLocalBytes + name.size() + extra.size() + kExtraHeaderBytes;
  const std::uint64_t padding = (kAlignment - unpadded % kAlignment) % kAlignment;
  append(extra, kPaddingExtraId, 2);
  append(extra, padding, 2);
  extra.append(padding, 'Z');

  std::string header = "PK\x03\x04";
  append_common(header, is_zip64);
  append(header, 0, 4);  // checksum
  append(header, is_zip64 ? kFull32 : 0, 4);
  append(header, is_zip64 ? kFull32 : 0, 4);
  append(header, name.size(), 2);
  append(header, extra.size(), 2);
  header += name;
  header += extra;
  put(header);
}

void ZipWriter::write(std::string_view bytes) {
  CONTRA4_CHECK(bytes.size() <= num_missing_, "more bytes than the member has");
  num_missing_ -= bytes.size();
  member_.crc32 = static_cast<std::uint32_t>(
      crc32_z(member_.crc32, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
  put(bytes);
}

void ZipWriter::add_member(std::string_view name, std::string_view bytes) {
  begin_member(name, bytes.size());
  write(bytes);
}

void ZipWriter::end_member() {
  if (!is_open_) return;
  CONTRA4_CHECK(num_missing_ == 0, "fewer bytes than the member has");
  is_open_ = false;
  const bool has_large_size = member_.num_bytes >= zip64_from_;
  const bool has_large_offset = member_.offset >= zip64_from_;
  const int size_bytes = has_large_size ? 8 : 4;
  std::string descriptor = "PK\x07\x08";
  append(descriptor, member_.crc32, 4);
  append(descriptor, member_.num_bytes, size_bytes);
  append(descriptor, member_.num_bytes, size_bytes);
  put(descriptor);

  std::string extra;
  if (has_large_size || has_large_offset) {
    append(extra, kZip64ExtraId, 2);
    append(extra, (has_large_size ? 16 : 0) + (has_large_offset ? 8 : 0), 2);
    if (has_large_size) append(extra, member_.num_bytes, 8);
    if (has_large_size) append(extra, member_.num_bytes, 8);
    if (has_large_offset) append(extra, member_.offset, 8);
  }
  directory_ += "PK\x01\x02";
  append(directory_, extra.empty() ? kVersion : kZip64Version, 2);
  append_common(directory_, !extra.empty());
  append(directory_, member_.crc32, 4);
  append(directory_, has_large_size ? kFull32 : member_.num_bytes, 4);
  append(directory_, has_large_size ? kFull32 : member_.num_bytes, 4);
  append(directory_, member_.name.size(), 2);
  append(directory_, extra.size(), 2);
  directory_.append(2 + 2 + 2 + 4, '\0');  // comment, disk, attributes
  append(directory_, has_large_offset ? kFull32 : member_.offset, 4);
  directory_ += member_.name;
  directory_ += extra;
  ++num_members_;
}

void ZipWriter::put(std::string_view bytes) {
  file_.write(bytes);
  offset_ += bytes.size();
}

// With the end record of zip64 always, as PyTorch does.
void ZipWriter::put_directory() {
  const std::uint64_t directory_offset = offset_;
  const std::uint64_t directory_bytes = directory_.size();
  put(directory_);
  const std::uint64_t end_offset = offset_;
  std::string end = "PK\x06\x06";
  append(end, 44, 8);  // bytes that follow in this record
  append(end, kZip64Version, 2);
  append(end, kZip64Version, 2);
  append(end, 0, 4 + 4);  // disks
  append(end, num_members_, 8);
  append(end, num_members_, 8);
  append(end, directory_bytes, 8);
  append(end, directory_offset, 8);
  end += "PK\x06\x07";
  append(end, 0, 4);
  append(end, end_offset, 8);
  append(end, 1, 4);
  // What the zip64 record says too is kept where it fits: readers look there only where it is full.
  const bool is_large =
      num_members_ >= kFull16 || directory_offset >= zip64_from_ || directory_bytes >= zip64_from_;
  end += "PK\x05\x06";
  append(end, 0, 2 + 2);
  append(end, is_large ? kFull16 : num_members_, 2);
  append(end, is_large ? kFull16 : num_members_, 2);
  append(end, is_large ? kFull32 : directory_bytes, 4);
  append(end, is_large ? kFull32 : directory_offset, 4);
  append(end, 0, 2);
  put(end);
}

void ZipWriter::commit() {
  end_member();
  put_directory();
  file_.commit();
}

}  // namespace contra4::io
