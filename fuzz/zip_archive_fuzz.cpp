// Any bytes as a zip: refused with a message, or every member lies inside the file, apart from the
// others, and unpacks to what the directory says or not at all.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "contra4/io/zip_archive.h"

namespace {

constexpr std::uint64_t kMostBytes = 1U << 20;

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  const auto archive = contra4::io::ZipArchive::parse(file, "fuzz");
  if (!archive) {
    require(archive.error().code == contra4::ErrorCode::kDataLoss ||
            archive.error().code == contra4::ErrorCode::kUnimplemented);
    require(archive.error().message.starts_with("fuzz: "));
    return 0;
  }
  std::uint64_t sum = 0;
  for (const contra4::io::ZipMember& member : archive->members()) {
    require(member.offset <= size && member.packed_bytes <= size - member.offset);
    require(archive->find(member.name) == &member);
    sum += member.packed_bytes;
    const auto bytes = archive->read(member, kMostBytes);
    if (bytes) {
      require(bytes->size() == member.num_bytes && bytes->size() <= kMostBytes);
    } else {
      require(bytes.error().message.starts_with("fuzz: member '"));
    }
    if (const auto stored = archive->stored(member)) {
      require(stored->data() >= file.data() && stored->size() == member.num_bytes);
    }
  }
  require(sum < size);
  return 0;
}
