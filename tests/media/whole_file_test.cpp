#include "contra4/media/codecs/whole_file.h"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/media/codec_fixtures.h"

namespace contra4::media {
namespace {

using namespace std::string_view_literals;

TEST(WholeFile, WholeFilesAreWhole) {
  for (const char* name : {"rgb.jpg", "progressive.jpg", "rgb.png", "lossy.webp", "two.webp",
                           "still.gif", "two.gif", "rgb.bmp", "bits.bmp", "lzw.tif"}) {
    EXPECT_FALSE(cut_file(fixture_bytes(name), name)) << name;
  }
}

TEST(WholeFile, BytesBehindTheEndDoNotMatter) {
  for (const char* name : {"rgb.jpg", "rgb.png", "lossy.webp", "still.gif", "rgb.bmp"}) {
    EXPECT_FALSE(cut_file(fixture_bytes(name) + "more", name)) << name;
  }
}

TEST(WholeFile, SaysWhatWasFoundAndWhatToDo) {
  const auto error = cut_file(fixture_bytes("rgb.png").substr(0, 100), "a.png");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::kDataLoss);
  EXPECT_EQ(error->message,
            "a.png: cut file, it has 100 bytes and goes on beyond them; load it again");
}

TEST(WholeFile, AThumbnailInsideDoesNotEndAJpeg) {
  const std::string inner = "\xff\xd8\xff\xd9";
  const std::string outer = std::string("\xff\xd8\xff\xe1\x00\x06"sv) + inner;
  EXPECT_TRUE(cut_file(outer, "a"));
  EXPECT_FALSE(cut_file(outer + "\xff\xd9", "a"));
}

std::string wav_with_size(std::string_view size, std::size_t num_bytes) {
  return std::string("RIFF....WAVEfmt \x02\0\0\0xx"sv)
      .append("data")
      .append(size)
      .append(num_bytes, 'x');
}

TEST(WholeFile, AWavHasTheSamplesItSays) {
  EXPECT_FALSE(cut_file(wav_with_size("\x08\0\0\0"sv, 8), "a"));
  EXPECT_TRUE(cut_file(wav_with_size("\x08\0\0\0"sv, 7), "a"));
  EXPECT_TRUE(cut_file(wav_with_size("\xff\xff\xfe\x7f"sv, 8), "a"));
}

TEST(WholeFile, AWavFromAPipeDoesNotSayItsLength) {
  EXPECT_FALSE(cut_file(wav_with_size("\0\0\0\0"sv, 8), "a"));
  EXPECT_FALSE(cut_file(wav_with_size("\xff\xff\xff\xff"sv, 8), "a"));
  EXPECT_FALSE(cut_file(wav_with_size("\xff\xff\xff\x7f"sv, 8), "a"));
}

TEST(WholeFile, BoxesOfWideAndOpenSize) {
  const std::string type(
      "\0\0\0\x10"
      "ftypisom\0\0\0\0"sv);
  EXPECT_FALSE(cut_file(type, "a"));
  EXPECT_TRUE(cut_file(type + std::string("\0\0\0\x10mdat"sv), "a"));
  EXPECT_FALSE(cut_file(type + std::string("\0\0\0\0mdat anything"sv), "a"));
  EXPECT_FALSE(cut_file(type + std::string("\0\0\0\x01mdat\0\0\0\0\0\0\0\x11x"sv), "a"));
  EXPECT_TRUE(cut_file(type + std::string("\0\0\0\x01mdat\0\0\0\0\0\0\0\x12x"sv), "a"));
  EXPECT_TRUE(cut_file(type + std::string("\0\0\0\x01mdat\0\0"sv), "a"));
  EXPECT_TRUE(cut_file(type + std::string("\0\0\0\x01mdat\xff\0\0\0\0\0\0\0"sv), "a"));
}

TEST(WholeFile, OtherFilesSayNothing) {
  EXPECT_FALSE(cut_file("", "a"));
  EXPECT_FALSE(cut_file("fLaC and so on", "a"));
  EXPECT_FALSE(cut_file("words", "a"));
}

}  // namespace
}  // namespace contra4::media
