#include "contra4/io/zip_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/zip_file.h"

namespace contra4::io {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using testing::zip_bytes;
using testing::ZipInput;

constexpr std::uint64_t kMost = 1U << 20;

// The message of an archive that must be refused, with code kDataLoss and the file's name in front.
std::string refusal(std::string_view file) {
  const auto archive = ZipArchive::parse(file, "x.zip");
  if (archive.has_value()) return "accepted";
  EXPECT_EQ(archive.error().code, ErrorCode::kDataLoss);
  EXPECT_THAT(archive.error().message, ::testing::StartsWith("x.zip: "));
  return archive.error().message;
}

// What reading the only member gives.
Result<std::string> only_member(const std::string& file, std::uint64_t max_bytes = kMost) {
  const auto archive = ZipArchive::parse(file, "x.zip");
  if (!archive) return archive.error();
  return archive->read(archive->members().front(), max_bytes);
}

void put_u16(std::string& file, std::size_t at, unsigned value) {
  file[at] = static_cast<char>(value & 0xFFU);
  file[at + 1] = static_cast<char>(value >> 8);
}

TEST(ZipArchive, ReadsStoredAndDeflatedMembers) {
  const std::string text(5000, 'a');
  const std::string file =
      zip_bytes({{.name = "b/stored", .bytes = "12345", .local_extra = std::string(40, 'Z')},
                 {.name = "a", .bytes = text, .is_deflated = true},
                 {.name = "none", .bytes = ""},
                 {.name = "nothing", .bytes = "", .is_deflated = true}});
  const auto archive = ZipArchive::parse(file, "x.zip").value();
  ASSERT_THAT(archive.members(), SizeIs(4));
  EXPECT_EQ(archive.members()[0].name, "b/stored");

  const ZipMember* stored = archive.find("b/stored");
  ASSERT_NE(stored, nullptr);
  const std::string_view in_place = archive.stored(*stored).value();
  EXPECT_EQ(in_place, "12345");
  EXPECT_EQ(in_place.data(), file.data() + stored->offset);
  EXPECT_EQ(archive.read(*stored, kMost).value(), "12345");
  EXPECT_EQ(archive.read(*archive.find("a"), kMost).value(), text);
  EXPECT_EQ(archive.read(*archive.find("none"), 0).value(), "");
  EXPECT_EQ(archive.read(*archive.find("nothing"), 0).value(), "");
  EXPECT_EQ(archive.find("b"), nullptr);

  const auto packed = archive.stored(*archive.find("a"));
  ASSERT_FALSE(packed.has_value());
  EXPECT_EQ(packed.error().code, ErrorCode::kUnimplemented);
  EXPECT_THAT(packed.error().message, HasSubstr("x.zip: member 'a' is packed"));
}

TEST(ZipArchive, ReadsZip64FieldsDescriptorsAndComments) {
  for (const bool is_zip64 : {false, true}) {
    for (const bool has_descriptor : {false, true}) {
      for (const bool is_deflated : {false, true}) {
        const ZipInput member{.name = "m",
                              .bytes = "twelve bytes",
                              .is_deflated = is_deflated,
                              .is_zip64 = is_zip64,
                              .has_descriptor = has_descriptor};
        ZipInput second = member;
        second.name = "second";
        const std::string file =
            zip_bytes({member, second}, {.is_zip64 = is_zip64, .comment = "words PK\x05\x06 more"});
        const auto archive = ZipArchive::parse(file, "x.zip").value();
        ASSERT_THAT(archive.members(), SizeIs(2));
        EXPECT_EQ(archive.read(*archive.find("m"), kMost).value(), "twelve bytes");
        EXPECT_EQ(archive.read(*archive.find("second"), kMost).value(), "twelve bytes");
      }
    }
  }
}

TEST(ZipArchive, ReadsTheLongestCommentAndAnEmptyArchive) {
  const std::string file = zip_bytes({}, {.comment = std::string(65535, 'c')});
  EXPECT_THAT(ZipArchive::parse(file, "x").value().members(), SizeIs(0));
  EXPECT_TRUE(looks_like_zip(zip_bytes({})));
  EXPECT_TRUE(looks_like_zip(zip_bytes({{.name = "a", .bytes = "b"}})));
  EXPECT_FALSE(looks_like_zip("PK"));
}

TEST(ZipArchive, RefusesFilesCutAnywhere) {
  for (const bool is_zip64 : {false, true}) {
    const std::string whole =
        zip_bytes({{.name = "a", .bytes = "0123456789", .is_zip64 = is_zip64},
                   {.name = "b", .bytes = std::string(100, 'x'), .is_deflated = true}},
                  {.is_zip64 = is_zip64, .comment = "a comment"});
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
      EXPECT_NE(refusal(std::string_view(whole).substr(0, cut)), "accepted") << cut;
      // A hole in the middle, such as a broken download leaves.
      EXPECT_NE(refusal(whole.substr(0, cut) + whole.substr(cut + 1)), "accepted") << cut;
    }
    EXPECT_THAT(refusal(std::string_view(whole).substr(0, whole.size() / 2)),
                HasSubstr("truncated download?"));
  }
  EXPECT_THAT(refusal("no zip at all, but long enough to be one"), HasSubstr("no zip file"));
}

TEST(ZipArchive, NeverFollowsADamagedByteOutOfTheFile) {
  const std::string whole = zip_bytes({{.name = "a", .bytes = "0123456789", .is_zip64 = true},
                                       {.name = "b", .bytes = "yyyyyyyyyy", .is_deflated = true}},
                                      {.is_zip64 = true, .comment = "c"});
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char value : {'\0', '\x01', '\x7f', '\xff'}) {
      std::string damaged = whole;
      damaged[at] = value;
      const auto archive = ZipArchive::parse(damaged, "x");
      if (!archive) continue;
      for (const ZipMember& member : archive->members()) {
        EXPECT_LE(member.offset + member.packed_bytes, damaged.size());
        const auto bytes = archive->read(member, kMost);
        if (bytes) {
          EXPECT_EQ(bytes->size(), 10U);
        }
      }
    }
  }
}

TEST(ZipArchive, RefusesMembersThatLieAboutTheirSize) {
  const std::string zeros(1000, '\0');
  const ZipInput truth{.name = "m", .bytes = zeros, .is_deflated = true};
  ZipInput small = truth;
  small.claimed_bytes = 10;
  const auto more = only_member(zip_bytes({small}));
  ASSERT_FALSE(more.has_value());
  EXPECT_EQ(more.error().code, ErrorCode::kDataLoss);
  EXPECT_THAT(more.error().message, HasSubstr("it does not unpack to 10 bytes"));

  ZipInput large = truth;
  large.claimed_bytes = 1001;
  EXPECT_EQ(only_member(zip_bytes({large})).error().code, ErrorCode::kDataLoss);
  // Memory is not taken on the word of the directory.
  large.claimed_bytes = 4'000'000'000;
  const auto huge = only_member(zip_bytes({large}), 1ULL << 40);
  EXPECT_THAT(huge.error().message, HasSubstr("cannot unpack from"));

  ZipInput stored{.name = "m", .bytes = "1234", .claimed_bytes = 5};
  EXPECT_THAT(refusal(zip_bytes({stored})), HasSubstr("'m' is stored in 4 bytes but has 5"));
}

TEST(ZipArchive, KeepsToTheBytesThatAreAllowed) {
  const std::string file =
      zip_bytes({{.name = "m", .bytes = std::string(100'000, 'z'), .is_deflated = true}});
  EXPECT_EQ(only_member(file, 100'000).value().size(), 100'000U);
  const auto bomb = only_member(file, 99'999);
  EXPECT_EQ(bomb.error().code, ErrorCode::kResourceExhausted);
  EXPECT_THAT(bomb.error().message, HasSubstr("unpacks to 100000 bytes, 99999 are allowed"));
}

TEST(ZipArchive, ComparesTheChecksum) {
  for (const bool is_deflated : {false, true}) {
    const auto bytes = only_member(
        zip_bytes({{.name = "m", .bytes = "abc", .is_deflated = is_deflated, .claimed_crc32 = 1}}));
    ASSERT_FALSE(bytes.has_value());
    EXPECT_EQ(bytes.error().code, ErrorCode::kDataLoss);
    EXPECT_THAT(bytes.error().message, HasSubstr("'m' is damaged: its checksum differs"));
  }
}

TEST(ZipArchive, RefusesEncryptedAndForeignMembersOnlyWhenTheyAreRead) {
  for (const ZipInput& odd : {ZipInput{.name = "odd", .bytes = "x", .flags = 1},
                              ZipInput{.name = "odd", .bytes = "x", .method = 12}}) {
    const std::string file = zip_bytes({odd, {.name = "fine", .bytes = "y"}});
    const auto archive = ZipArchive::parse(file, "x.zip").value();
    EXPECT_EQ(archive.read(*archive.find("fine"), kMost).value(), "y");
    const auto bytes = archive.read(*archive.find("odd"), kMost);
    EXPECT_EQ(bytes.error().code, ErrorCode::kUnimplemented);
    EXPECT_THAT(bytes.error().message, HasSubstr("'odd' is encrypted or packed"));
    EXPECT_EQ(archive.stored(*archive.find("odd")).error().code, ErrorCode::kUnimplemented);
  }
}

TEST(ZipArchive, RefusesNamesThatAreThereTwice) {
  EXPECT_THAT(refusal(zip_bytes({{.name = "m", .bytes = "1"}, {.name = "m", .bytes = "2"}})),
              HasSubstr("'m' is there twice"));
}

TEST(ZipArchive, RefusesLocalHeadersThatDisagree) {
  EXPECT_THAT(refusal(zip_bytes({{.name = "m", .bytes = "1", .local_name = "n"}})),
              HasSubstr("'m' is another one in its local header"));
  std::string file = zip_bytes({{.name = "m", .bytes = "1234"}});
  put_u16(file, 18, 3);  // the packed size in the local header
  EXPECT_THAT(refusal(file), HasSubstr("'m' has another size in its local header"));
}

TEST(ZipArchive, RefusesMembersThatShareBytes) {
  // The second entry of the directory points into the first member, which holds a whole header.
  const std::string inner = zip_bytes({{.name = "b", .bytes = "1234"}}).substr(0, 35);
  std::string file = zip_bytes({{.name = "a", .bytes = inner}, {.name = "b", .bytes = "1234"}});
  const std::size_t entry = file.rfind("PK\x01\x02");
  put_u16(file, entry + 42, 31);
  EXPECT_THAT(refusal(file), HasSubstr("'b' overlaps member 'a'"));
}

TEST(ZipArchive, RefusesCountsThatDoNotFit) {
  const std::string whole = zip_bytes({{.name = "m", .bytes = "1"}});
  const std::size_t end = whole.size() - 22;
  std::string many = whole;
  put_u16(many, end + 10, 60'000);
  EXPECT_THAT(refusal(many), HasSubstr("cannot hold 60000 members"));
  std::string none = whole;
  put_u16(none, end + 10, 0);
  EXPECT_THAT(refusal(none), HasSubstr("longer than its members"));
  std::string split = whole;
  put_u16(split, end + 4, 2);
  const auto archive = ZipArchive::parse(split, "x");
  EXPECT_EQ(archive.error().code, ErrorCode::kUnimplemented);
}

TEST(ZipArchive, ShowsLongNamesCut) {
  const std::string name(3000, 'n');
  const std::string message =
      refusal(zip_bytes({{.name = name, .bytes = "1"}, {.name = name, .bytes = "2"}}));
  EXPECT_THAT(message, HasSubstr("nnn...' is there twice"));
  EXPECT_LT(message.size(), 200U);
}

}  // namespace
}  // namespace contra4::io
