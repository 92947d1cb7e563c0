#include "contra4/io/zip_archive.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <zlib.h>

#include "contra4/io/shown_name.h"

namespace contra4::io {

namespace {

constexpr std::string_view kLocalMagic = "PK\x03\x04";
constexpr std::string_view kEntryMagic = "PK\x01\x02";
constexpr std::string_view kEndMagic = "PK\x05\x06";
constexpr std::string_view kEnd64Magic = "PK\x06\x06";
constexpr std::string_view kLocator64Magic = "PK\x06\x07";

constexpr std::uint64_t kLocalBytes = 30;
constexpr std::uint64_t kEntryBytes = 46;
constexpr std::uint64_t kEndBytes = 22;
constexpr std::uint64_t kEnd64Bytes = 56;
constexpr std::uint64_t kLocator64Bytes = 20;
constexpr std::uint64_t kMaxCommentBytes = 0xFFFF;

// "Look into the zip64 record": the largest numbers of the old fields.
constexpr std::uint64_t kFull16 = 0xFFFF;
constexpr std::uint64_t kFull32 = 0xFFFFFFFF;
constexpr std::uint64_t kZip64ExtraId = 0x0001;

constexpr std::uint64_t kEncryptedFlag = 1U << 0;
constexpr std::uint64_t kDescriptorFlag = 1U << 3;  // sizes follow the bytes: see the directory
constexpr std::uint64_t kStoredMethod = 0;
constexpr std::uint64_t kDeflatedMethod = 8;

// Deflate gives at most 1032 bytes for each byte in (258 for two bits).
constexpr std::uint64_t kMaxDeflateRatio = 1032;

// The little-endian number of `count` bytes at `offset`; the caller knows that they are there.
std::uint64_t number(std::string_view bytes, std::uint64_t offset, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = count; i-- > 0;) {
    value = (value << 8) | static_cast<unsigned char>(bytes[offset + i]);
  }
  return value;
}

bool has_range(std::uint64_t size, std::uint64_t offset, std::uint64_t count) {
  return offset <= size && count <= size - offset;
}

bool has_magic(std::string_view bytes, std::uint64_t offset, std::string_view magic) {
  return has_range(bytes.size(), offset, magic.size()) &&
         bytes.substr(offset, magic.size()) == magic;
}

// Where the central directory lies.
struct Directory {
  std::uint64_t offset = 0;
  std::uint64_t num_bytes = 0;
  std::uint64_t num_members = 0;
};

// A member with what only the check of the archive needs.
struct Entry {
  ZipMember member;
  std::uint64_t flags = 0;
  std::uint64_t method = 0;
  std::uint64_t local_offset = 0;
};

class DirectoryParser {
 public:
  DirectoryParser(std::string_view file, std::string_view what) : file_(file), what_(what) {}

  Result<std::vector<ZipMember>> parse() {
    const auto directory = find_directory();
    if (!directory) return directory.error();
    directory_ = *directory;
    // A hostile count costs nothing: no more entries than bytes for them.
    if (directory_.num_members > directory_.num_bytes / kEntryBytes) {
      return error(fmt::format("a directory of {} bytes cannot hold {} members",
                               directory_.num_bytes, directory_.num_members));
    }
    std::vector<Entry> entries;
    entries.reserve(directory_.num_members);
    position_ = directory_.offset;
    for (std::uint64_t i = 0; i < directory_.num_members; ++i) {
      auto entry = next_entry();
      if (!entry) return entry.error();
      entries.push_back(std::move(*entry));
    }
    if (position_ != directory_.offset + directory_.num_bytes) {
      return error("the directory is longer than its members");
    }
    if (auto checked = check_overlaps(entries); !checked) return checked.error();
    std::vector<ZipMember> members;
    members.reserve(entries.size());
    for (Entry& entry : entries) members.push_back(std::move(entry.member));
    return members;
  }

 private:
  Error error(std::string_view reason) const {
    return {ErrorCode::kDataLoss, fmt::format("{}: {}", what_, reason)};
  }
  Error error_at(std::string_view name, std::string_view reason) const {
    return error(fmt::format("member '{}' {}", shown_name(name), reason));
  }

  Result<Directory> find_directory() const {
    const auto end = find_end();
    if (!end) {
      return error(file_.starts_with(kLocalMagic)
                       ? "the zip's directory at the end is missing; truncated download?"
                       : "no zip file");
    }
    if (number(file_, *end + 4, 2) != 0 && number(file_, *end + 4, 2) != kFull16) {
      return several_files();
    }
    Directory directory{.offset = number(file_, *end + 16, 4),
                        .num_bytes = number(file_, *end + 12, 4),
                        .num_members = number(file_, *end + 10, 2)};
    std::uint64_t limit = *end;
    if (directory.offset == kFull32 || directory.num_bytes == kFull32 ||
        directory.num_members == kFull16) {
      // Without a locator the numbers are what they seem.
      if (*end >= kLocator64Bytes && has_magic(file_, *end - kLocator64Bytes, kLocator64Magic)) {
        limit = number(file_, *end - kLocator64Bytes + 8, 8);
        const auto large = directory64(limit);
        if (!large) return large.error();
        directory = *large;
      }
    }
    if (!has_range(limit, directory.offset, directory.num_bytes)) {
      return error(
          fmt::format("the zip's directory, {} bytes at {}, does not lie before its end "
                      "record at {}; damaged or cut in the middle?",
                      directory.num_bytes, directory.offset, limit));
    }
    return directory;
  }

  // The record at the very end, before a comment of at most 65535 bytes.
  std::optional<std::uint64_t> find_end() const {
    if (file_.size() < kEndBytes) return std::nullopt;
    const std::uint64_t last = file_.size() - kEndBytes;
    const std::uint64_t first = last > kMaxCommentBytes ? last - kMaxCommentBytes : 0;
    for (std::uint64_t at = last + 1; at-- > first;) {
      if (has_magic(file_, at, kEndMagic) &&
          at + kEndBytes + number(file_, at + 20, 2) == file_.size()) {
        return at;
      }
    }
    return std::nullopt;
  }

  Result<Directory> directory64(std::uint64_t at) const {
    if (!has_range(file_.size(), at, kEnd64Bytes) || !has_magic(file_, at, kEnd64Magic)) {
      return error(fmt::format("no zip64 end record at {}; damaged or cut in the middle?", at));
    }
    if (number(file_, at + 16, 4) != 0) return several_files();
    return Directory{.offset = number(file_, at + 48, 8),
                     .num_bytes = number(file_, at + 40, 8),
                     .num_members = number(file_, at + 32, 8)};
  }

  Error several_files() const {
    return {ErrorCode::kUnimplemented,
            fmt::format("{}: a zip in several files; join them first", what_)};
  }

  Result<Entry> next_entry() {
    const std::uint64_t directory_end = directory_.offset + directory_.num_bytes;
    const std::uint64_t at = position_;
    if (!has_range(directory_end, at, kEntryBytes) || !has_magic(file_, at, kEntryMagic)) {
      return error(fmt::format("the zip's directory is damaged at {}", at));
    }
    const std::uint64_t name_bytes = number(file_, at + 28, 2);
    const std::uint64_t extra_bytes = number(file_, at + 30, 2);
    const std::uint64_t total = kEntryBytes + name_bytes + extra_bytes + number(file_, at + 32, 2);
    if (!has_range(directory_end, at, total)) {
      return error(fmt::format("the zip's directory is damaged at {}", at));
    }
    position_ += total;

    Entry entry;
    entry.flags = number(file_, at + 8, 2);
    entry.method = number(file_, at + 10, 2);
    entry.local_offset = number(file_, at + 42, 4);
    entry.member.name = file_.substr(at + kEntryBytes, name_bytes);
    entry.member.crc32 = static_cast<std::uint32_t>(number(file_, at + 16, 4));
    entry.member.packed_bytes = number(file_, at + 20, 4);
    entry.member.num_bytes = number(file_, at + 24, 4);
    if (auto widened =
            read_zip64_extra(entry, file_.substr(at + kEntryBytes + name_bytes, extra_bytes));
        !widened) {
      return widened.error();
    }
    if ((entry.flags & kEncryptedFlag) != 0) {
      entry.member.packing = ZipPacking::kUnreadable;
    } else if (entry.method == kStoredMethod) {
      entry.member.packing = ZipPacking::kStored;
    } else {
      entry.member.packing =
          entry.method == kDeflatedMethod ? ZipPacking::kDeflated : ZipPacking::kUnreadable;
    }
    if (auto placed = place(entry); !placed) return placed.error();
    return entry;
  }

  // Takes from the extra field those numbers that did not fit, in their fixed order.
  Result<void> read_zip64_extra(Entry& entry, std::string_view extra) const {
    std::vector<std::uint64_t*> missing;
    for (std::uint64_t* field :
         {&entry.member.num_bytes, &entry.member.packed_bytes, &entry.local_offset}) {
      if (*field == kFull32) missing.push_back(field);
    }
    if (missing.empty()) return {};
    while (extra.size() >= 4) {
      const std::uint64_t id = number(extra, 0, 2);
      const std::uint64_t size = number(extra, 2, 2);
      extra.remove_prefix(4);
      if (size > extra.size()) break;
      if (id == kZip64ExtraId) {
        if (size < 8 * missing.size()) break;
        for (std::size_t i = 0; i < missing.size(); ++i) *missing[i] = number(extra, 8 * i, 8);
        return {};
      }
      extra.remove_prefix(size);
    }
    return error_at(entry.member.name, "has no zip64 sizes");
  }

  // Finds the first byte behind the local header, which has to agree with the directory.
  Result<void> place(Entry& entry) const {
    ZipMember& member = entry.member;
    const std::uint64_t at = entry.local_offset;
    if (!has_range(directory_.offset, at, kLocalBytes) || !has_magic(file_, at, kLocalMagic)) {
      return error_at(member.name, fmt::format("has no local header at {}", at));
    }
    const std::uint64_t name_bytes = number(file_, at + 26, 2);
    const std::uint64_t header_bytes = kLocalBytes + name_bytes + number(file_, at + 28, 2);
    if (!has_range(directory_.offset, at, header_bytes)) {
      return error_at(member.name, "has a local header that reaches into the directory");
    }
    if (file_.substr(at + kLocalBytes, name_bytes) != member.name ||
        number(file_, at + 8, 2) != entry.method) {
      return error_at(member.name, "is another one in its local header");
    }
    const std::uint64_t packed = number(file_, at + 18, 4);
    const std::uint64_t unpacked = number(file_, at + 22, 4);
    if ((number(file_, at + 6, 2) & kDescriptorFlag) == 0 &&
        ((packed != kFull32 && packed != member.packed_bytes) ||
         (unpacked != kFull32 && unpacked != member.num_bytes))) {
      return error_at(member.name, "has another size in its local header");
    }
    member.offset = at + header_bytes;
    if (!has_range(directory_.offset, member.offset, member.packed_bytes)) {
      return error_at(member.name,
                      fmt::format("needs {} bytes at {}, the directory begins at {}; damaged or "
                                  "cut in the middle?",
                                  member.packed_bytes, member.offset, directory_.offset));
    }
    if (member.packing == ZipPacking::kStored && member.packed_bytes != member.num_bytes) {
      return error_at(member.name, fmt::format("is stored in {} bytes but has {}",
                                               member.packed_bytes, member.num_bytes));
    }
    return {};
  }

  // A file that gives the same bytes to many members unpacks to far more than it is.
  Result<void> check_overlaps(const std::vector<Entry>& entries) const {
    std::vector<const Entry*> order;
    order.reserve(entries.size());
    for (const Entry& entry : entries) order.push_back(&entry);
    std::sort(order.begin(), order.end(),
              [](const Entry* a, const Entry* b) { return a->local_offset < b->local_offset; });
    for (std::size_t i = 1; i < order.size(); ++i) {
      const ZipMember& before = order[i - 1]->member;
      if (before.offset + before.packed_bytes > order[i]->local_offset) {
        return error_at(order[i]->member.name,
                        fmt::format("overlaps member '{}'", shown_name(before.name)));
      }
    }
    return {};
  }

  std::string_view file_;
  std::string_view what_;
  Directory directory_;
  std::uint64_t position_ = 0;
};

// inflate() of a stream without a header, with its state.
class RawInflater {
 public:
  RawInflater() { CONTRA4_CHECK(inflateInit2(&stream_, -MAX_WBITS) == Z_OK, "zlib cannot start"); }
  ~RawInflater() { inflateEnd(&stream_); }
  RawInflater(const RawInflater&) = delete;
  RawInflater& operator=(const RawInflater&) = delete;

  // Whether `packed` unfolds to exactly the size of `unpacked`.
  bool fill(std::string_view packed, std::string& unpacked) {
    char spare = 0;  // where a byte too many shows itself
    std::uint64_t done = 0;
    while (true) {
      constexpr std::uint64_t kMost = std::numeric_limits<uInt>::max();
      const std::uint64_t room = unpacked.size() - done;
      // zlib does not write through next_in.
      // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): its C interface knows no const
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
      stream_.avail_in = static_cast<uInt>(std::min<std::uint64_t>(packed.size(), kMost));
      stream_.next_out = reinterpret_cast<Bytef*>(room > 0 ? unpacked.data() + done : &spare);
      stream_.avail_out = static_cast<uInt>(room > 0 ? std::min(room, kMost) : 1);
      const uInt given_in = stream_.avail_in;
      const uInt given_out = stream_.avail_out;
      const int status = inflate(&stream_, Z_NO_FLUSH);
      const uInt out = given_out - stream_.avail_out;
      packed.remove_prefix(given_in - stream_.avail_in);
      if (room == 0 && out > 0) return false;
      done += out;
      if (status == Z_STREAM_END) return done == unpacked.size();
      if (status != Z_OK) return false;  // damaged, or no input left
    }
  }

 private:
  z_stream stream_{};
};

}  // namespace

bool looks_like_zip(std::string_view file) {
  return file.starts_with(kLocalMagic) || file.starts_with(kEndMagic);
}

Result<ZipArchive> ZipArchive::parse(std::string_view file, std::string_view what) {
  ZipArchive archive(file, what);
  auto members = DirectoryParser(file, what).parse();
  if (!members) return members.error();
  archive.members_ = std::move(*members);
  archive.by_name_.resize(archive.members_.size());
  std::iota(archive.by_name_.begin(), archive.by_name_.end(), std::size_t{0});
  const auto name_of = [&](std::size_t place) -> const std::string& {
    return archive.members_[place].name;
  };
  std::sort(archive.by_name_.begin(), archive.by_name_.end(),
            [&](std::size_t a, std::size_t b) { return name_of(a) < name_of(b); });
  const auto twice =
      std::adjacent_find(archive.by_name_.begin(), archive.by_name_.end(),
                         [&](std::size_t a, std::size_t b) { return name_of(a) == name_of(b); });
  if (twice != archive.by_name_.end()) {
    return archive.error_at(archive.members_[*twice], ErrorCode::kDataLoss, "is there twice");
  }
  return archive;
}

const ZipMember* ZipArchive::find(std::string_view name) const {
  const auto at = std::lower_bound(
      by_name_.begin(), by_name_.end(), name,
      [&](std::size_t place, std::string_view key) { return members_[place].name < key; });
  return at != by_name_.end() && members_[*at].name == name ? &members_[*at] : nullptr;
}

Error ZipArchive::error_at(const ZipMember& member, ErrorCode code, std::string_view reason) const {
  return {code, fmt::format("{}: member '{}' {}", what_, shown_name(member.name), reason)};
}

std::string_view ZipArchive::packed(const ZipMember& member) const {
  return file_.substr(member.offset, member.packed_bytes);
}

Result<std::string_view> ZipArchive::stored(const ZipMember& member) const {
  if (member.packing != ZipPacking::kStored) {
    return error_at(member, ErrorCode::kUnimplemented,
                    "is packed and cannot be used in place; make the archive without compression");
  }
  return packed(member);
}

Result<std::string> ZipArchive::read(const ZipMember& member, std::uint64_t max_bytes) const {
  if (member.packing == ZipPacking::kUnreadable) {
    return error_at(member, ErrorCode::kUnimplemented,
                    "is encrypted or packed by other means than deflate");
  }
  if (member.num_bytes > max_bytes) {
    return error_at(
        member, ErrorCode::kResourceExhausted,
        fmt::format("unpacks to {} bytes, {} are allowed", member.num_bytes, max_bytes));
  }
  std::string bytes;
  if (member.packing == ZipPacking::kStored) {
    bytes = packed(member);
  } else {
    if (member.num_bytes / kMaxDeflateRatio > member.packed_bytes) {
      return error_at(
          member, ErrorCode::kDataLoss,
          fmt::format("cannot unpack from {} to {} bytes", member.packed_bytes, member.num_bytes));
    }
    bytes.resize(member.num_bytes);
    if (!RawInflater().fill(packed(member), bytes)) {
      return error_at(member, ErrorCode::kDataLoss,
                      fmt::format("is damaged: it does not unpack to {} bytes", member.num_bytes));
    }
  }
  const auto sum = crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  if (sum != member.crc32) {
    return error_at(member, ErrorCode::kDataLoss, "is damaged: its checksum differs");
  }
  return bytes;
}

}  // namespace contra4::io
