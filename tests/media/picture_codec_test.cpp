#include "contra4/media/codecs/picture_codec.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/media/codecs/codecs.h"
#include "tests/media/codec_fixtures.h"

namespace contra4::media {
namespace {

using ::testing::HasSubstr;
using namespace std::string_view_literals;

constexpr PictureOptions kAsStored{.applies_orientation = false, .limits = {}};

class PictureCodec : public ::testing::Test {
 protected:
  PictureCodec() { linked_decoder(); }  // makes FFmpeg silent, as in the program
};

std::string summary_of(const std::string& bytes, const PictureOptions& options = kAsStored) {
  const auto picture = decode_picture(bytes, "a", options);
  return picture ? summary(*picture) : picture.error().message;
}

Error error_of(std::string_view bytes, const PictureOptions& options = {}) {
  const auto picture = decode_picture(bytes, "a", options);
  if (!picture) return picture.error();
  ADD_FAILURE() << "decoded to " << summary(*picture);
  return {};
}

// What Pillow 9.4.0 makes of them with convert("RGB"); printed by tools/make_codec_fixtures.py.
TEST_F(PictureCodec, GivesPillowsBytes) {
  const std::vector<std::pair<const char*, const char*>> expected = {
      {"bits.bmp", "13295444c3935521"},        {"bits.png", "13295444c3935521"},
      {"cmyk.jpg", "8acba118cb43c2a5"},        {"grey.jpg", "209cbac51a052c86"},
      {"grey2.png", "a814487781c766b2"},       {"grey4.png", "d3875ddb5e570d76"},
      {"grey_alpha.png", "a6702f20341d6e92"},  {"lossless.webp", "e1c546f941ac4d7b"},
      {"lossy.webp", "cf47f0d449d66bc9"},      {"lossy_alpha.webp", "528ebfc027accd05"},
      {"lzw.tif", "e1c546f941ac4d7b"},         {"palette.bmp", "a6702f20341d6e92"},
      {"palette.png", "db659e4d7637c15f"},     {"palette_alpha.png", "db659e4d7637c15f"},
      {"progressive.jpg", "30f533b0f1101217"}, {"rgb.bmp", "e1c546f941ac4d7b"},
      {"rgb.png", "e1c546f941ac4d7b"},         {"rgb16.png", "ff337727443aed0a"},
      {"rgba.png", "e1c546f941ac4d7b"},        {"rgba.tif", "e1c546f941ac4d7b"},
      {"rgba16.png", "26604c9f63ae9cd0"},      {"still.gif", "7accde27399e85c3"},
      {"turned.png", "e1c546f941ac4d7b"},      {"turned.webp", "e1c546f941ac4d7b"},
      {"two.gif", "7accde27399e85c3"},         {"two.webp", "e1c546f941ac4d7b"},
  };
  for (const auto& [name, hash] : expected) {
    EXPECT_EQ(summary_of(fixture_bytes(name)), std::string("37x23 ") + hash) << name;
  }
}

TEST_F(PictureCodec, GoldenPicturesArePillows) {
  CONTRA4_REQUIRE_SHARED();
  EXPECT_EQ(summary_of(golden_bytes("alpha.png")), "97x61 8b4d52a6d1f1c5d6");
  EXPECT_EQ(summary_of(golden_bytes("palette.png")), "97x61 ea5c8596472c20c6");
  EXPECT_EQ(summary_of(golden_bytes("small.png")), "97x61 8b4d52a6d1f1c5d6");
  EXPECT_EQ(summary_of(golden_bytes("landscape.jpg")), "640x427 8e85bac2b3b7c7d3");
}

// Pillow shows nearly all of them as white: it cuts 16 bits off at 255.
TEST_F(PictureCodec, GreyOf16BitsKeepsItsUpperEight) {
  EXPECT_EQ(summary_of(fixture_bytes("grey16.png")), "37x23 cbc9850ddac84e5d");
}

// As Pillow's ImageOps.exif_transpose.
TEST_F(PictureCodec, TurnsAsExifSaysUnlessToldOtherwise) {
  const std::vector<std::pair<const char*, const char*>> expected = {
      {"orientation1.jpg", "37x23 89aad3968f9342e0"},
      {"orientation2.jpg", "37x23 a688b5193a7cbcc1"},
      {"orientation3.jpg", "37x23 0795c44127ca504e"},
      {"orientation4.jpg", "37x23 0fbdca962645f6b1"},
      {"orientation5.jpg", "23x37 bc1f5782f732a712"},
      {"orientation6.jpg", "23x37 589d5c6270d9b9cf"},
      {"orientation7.jpg", "23x37 153088e5c829e6a6"},
      {"orientation8.jpg", "23x37 e87fb32595cbfbcd"},
      {"turned.png", "23x37 f4b1ef599c0b033e"},
      {"turned.webp", "23x37 ab8256a6344e981e"}};
  for (const auto& [name, picture] : expected) {
    EXPECT_EQ(summary_of(fixture_bytes(name), {}), picture) << name;
  }
  EXPECT_EQ(summary_of(fixture_bytes("orientation6.jpg"), kAsStored), "37x23 89aad3968f9342e0");
}

TEST_F(PictureCodec, EveryCutIsDataLoss) {
  for (const char* name :
       {"rgb.jpg", "progressive.jpg", "rgb.png", "palette.png", "lossy.webp", "lossless.webp",
        "two.webp", "still.gif", "rgb.bmp", "bits.bmp", "lzw.tif", "rgba.tif"}) {
    const std::string bytes = fixture_bytes(name);
    constexpr std::size_t kSignature = 12;
    const std::size_t step = bytes.size() / 60 + 1;
    for (std::size_t size = kSignature; size < bytes.size() - 1; size += step) {
      const auto picture = decode_picture(bytes.substr(0, size), "a", {});
      ASSERT_FALSE(picture) << name << " cut at " << size;
      EXPECT_EQ(picture.error().code, ErrorCode::kDataLoss) << picture.error().message;
    }
  }
}

TEST_F(PictureCodec, BrokenPngIsDataLoss) {
  std::string bytes = fixture_bytes("rgb.png");
  bytes[bytes.size() / 2] ^= 0x40;
  const Error error = error_of(bytes);
  EXPECT_EQ(error.code, ErrorCode::kDataLoss);
  EXPECT_THAT(error.message, HasSubstr("a: broken file ("));
}

TEST_F(PictureCodec, WhatIsNoPictureIsNamed) {
  EXPECT_EQ(error_of("").code, ErrorCode::kDataLoss);
  const Error text = error_of("just words");
  EXPECT_EQ(text.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(text.message, HasSubstr("found a file of unknown type"));
  const Error sound = error_of("RIFF\x24\0\0\0WAVEfmt "sv);
  EXPECT_EQ(sound.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(sound.message, HasSubstr("wanted a picture (jpeg, png, webp, gif, bmp, tiff), found "
                                       "audio/wav"));
}

TEST_F(PictureCodec, JpegInsideTiffIsNotGuessed) {
  const Error error = error_of(fixture_bytes("jpeg.tif"));
  EXPECT_EQ(error.code, ErrorCode::kUnimplemented);
  EXPECT_THAT(error.message, HasSubstr("JPEG inside TIFF"));
}

TEST_F(PictureCodec, EveryFormatKeepsTheLimitOfPixels) {
  for (const char* name : {"rgb.jpg", "rgb.png", "palette.png", "lossy.webp", "lossless.webp",
                           "still.gif", "rgb.bmp", "lzw.tif"}) {
    const std::string bytes = fixture_bytes(name);
    EXPECT_TRUE(decode_picture(bytes, "a", {.limits = {.max_pixels = 37 * 23}})) << name;
    EXPECT_EQ(error_of(bytes, {.limits = {.max_pixels = 37 * 23 - 1}}).code,
              ErrorCode::kResourceExhausted)
        << name;
  }
}

// Width and height of a PNG stand at 16, big-endian; its checksum is wrong then, and the limit is
// looked at first or the checksum: either refuses it before anything is allocated.
TEST_F(PictureCodec, HugeAndEmptySizesAreRefused) {
  std::string huge = fixture_bytes("rgb.png");
  huge.replace(16, 8, "\x7f\xff\xff\xff\x7f\xff\xff\xff");
  EXPECT_FALSE(decode_picture(huge, "a", {}));
  std::string bitmap = fixture_bytes("rgb.bmp");
  bitmap.replace(18, 8, "\xff\xff\xff\x7f\xff\xff\xff\x7f");
  EXPECT_FALSE(decode_picture(bitmap, "a", {}));
  bitmap.replace(18, 8, "\0\0\0\0\0\0\0\0"sv);
  EXPECT_FALSE(decode_picture(bitmap, "a", {}));
}

TEST_F(PictureCodec, PngThatIsWrittenIsReadTheSame) {
  const auto picture = decode_picture(fixture_bytes("cmyk.jpg"), "a", {});
  ASSERT_TRUE(picture);
  const auto bytes = encode_png(*picture);
  ASSERT_TRUE(bytes);
  EXPECT_TRUE(bytes->starts_with("\x89PNG"));
  EXPECT_EQ(summary_of(*bytes), "37x23 8acba118cb43c2a5");
}

TEST_F(PictureCodec, WritesNoEmptyPicture) {
  EXPECT_EQ(encode_png(Picture{}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(encode_png(Picture{.width = 3, .height = 3, .rgb = {1}}).error().code,
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace contra4::media
