#include "tests/support/zip_file.h"

#include <stdexcept>

#include <zlib.h>

namespace contra4::testing {

namespace {

constexpr std::uint32_t kFull32 = 0xFFFFFFFF;

void put(std::string& out, std::uint64_t value, int num_bytes) {
  for (int i = 0; i < num_bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xFFU);
}

std::string deflated(const std::string& bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib cannot start");
  }
  std::string result(deflateBound(&stream, bytes.size()), '\0');
  std::string input = bytes;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  const int status = deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) throw std::runtime_error("deflate failed");
  return result;
}

std::string zip64_extra(std::uint64_t num_bytes, std::uint64_t packed_bytes,
                        std::optional<std::uint64_t> offset) {
  std::string extra;
  put(extra, 1, 2);
  put(extra, offset ? 24 : 16, 2);
  put(extra, num_bytes, 8);
  put(extra, packed_bytes, 8);
  if (offset) put(extra, *offset, 8);
  return extra;
}

}  // namespace

std::string zip_bytes(const std::vector<ZipInput>& members, const ZipOptions& options) {
  std::string file;
  std::string directory;
  for (const ZipInput& member : members) {
    const std::uint64_t offset = file.size();
    const std::string packed = member.is_deflated ? deflated(member.bytes) : member.bytes;
    const std::uint64_t num_bytes = member.claimed_bytes.value_or(member.bytes.size());
    const std::uint64_t sum = member.claimed_crc32.value_or(
        crc32_z(0, reinterpret_cast<const Bytef*>(member.bytes.data()), member.bytes.size()));
    const unsigned flags = member.flags | (member.has_descriptor ? 8U : 0U);
    const unsigned method = member.method.value_or(member.is_deflated ? 8 : 0);
    const std::string local_name = member.local_name.value_or(member.name);
    const auto put_common = [&](std::string& out, bool has_sizes) {
      put(out, member.is_zip64 ? 45 : 20, 2);
      put(out, flags, 2);
      put(out, method, 2);
      put(out, 0, 4);  // time and date
      put(out, has_sizes ? sum : 0, 4);
      put(out, !has_sizes ? 0 : member.is_zip64 ? kFull32 : packed.size(), 4);
      put(out, !has_sizes ? 0 : member.is_zip64 ? kFull32 : num_bytes, 4);
    };

    std::string extra = member.local_extra;
    if (member.is_zip64) extra += zip64_extra(num_bytes, packed.size(), std::nullopt);
    file += "PK\x03\x04";
    put_common(file, !member.has_descriptor);
    put(file, local_name.size(), 2);
    put(file, extra.size(), 2);
    file += local_name + extra + packed;
    if (member.has_descriptor) {
      file += "PK\x07\x08";
      put(file, sum, 4);
      put(file, packed.size(), member.is_zip64 ? 8 : 4);
      put(file, num_bytes, member.is_zip64 ? 8 : 4);
    }

    extra = member.is_zip64 ? zip64_extra(num_bytes, packed.size(), offset) : "";
    directory += "PK\x01\x02";
    put(directory, 20, 2);
    put_common(directory, true);
    put(directory, member.name.size(), 2);
    put(directory, extra.size(), 2);
    directory.append(10, '\0');  // comment, disk, attributes
    put(directory, member.is_zip64 ? kFull32 : offset, 4);
    directory += member.name + extra;
  }

  const std::uint64_t directory_offset = file.size();
  file += directory;
  if (options.is_zip64) {
    const std::uint64_t end64_offset = file.size();
    file += "PK\x06\x06";
    put(file, 44, 8);
    put(file, 45, 2);
    put(file, 45, 2);
    put(file, 0, 8);  // disks
    put(file, members.size(), 8);
    put(file, members.size(), 8);
    put(file, directory.size(), 8);
    put(file, directory_offset, 8);
    file += "PK\x06\x07";
    put(file, 0, 4);
    put(file, end64_offset, 8);
    put(file, 1, 4);
  }
  file += "PK\x05\x06";
  put(file, 0, 4);  // disks
  put(file, options.is_zip64 ? 0xFFFF : members.size(), 2);
  put(file, options.is_zip64 ? 0xFFFF : members.size(), 2);
  put(file, options.is_zip64 ? kFull32 : directory.size(), 4);
  put(file, options.is_zip64 ? kFull32 : directory_offset, 4);
  put(file, options.comment.size(), 2);
  return file + options.comment;
}

}  // namespace contra4::testing
