#include "contra4/media/codecs/jpeg_codec.h"

#include <cmath>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/media/codec_fixtures.h"

namespace contra4::media {
namespace {

using ::testing::HasSubstr;

std::string summary_of(const std::string& bytes) {
  const auto picture = decode_jpeg(bytes, "a.jpg", {});
  return picture ? summary(*picture) : picture.error().message;
}

// The hashes are of Pillow 9.4.0, which has a libjpeg-turbo of its own.
TEST(JpegCodec, GivesPillowsBytes) {
  EXPECT_EQ(summary_of(fixture_bytes("rgb.jpg")), "37x23 695ebcdde6b59028");
  EXPECT_EQ(summary_of(fixture_bytes("progressive.jpg")), "37x23 30f533b0f1101217");
  EXPECT_EQ(summary_of(fixture_bytes("grey.jpg")), "37x23 209cbac51a052c86");
}

TEST(JpegCodec, TakesFourChannelsForInvertedInk) {
  EXPECT_EQ(summary_of(fixture_bytes("cmyk.jpg")), "37x23 8acba118cb43c2a5");
}

TEST(JpegCodec, GoldenPicturesArePillows) {
  CONTRA4_REQUIRE_SHARED();
  EXPECT_EQ(summary_of(golden_bytes("landscape.jpg")), "640x427 8e85bac2b3b7c7d3");
  EXPECT_EQ(summary_of(golden_bytes("portrait.jpg")), "333x500 45547565eb8e48a5");
  EXPECT_EQ(summary_of(golden_bytes("grey.jpg")), "640x427 a7ea62dcfd4f454c");
}

TEST(JpegCodec, LeavesTheTurnToOthers) {
  EXPECT_EQ(summary_of(fixture_bytes("orientation6.jpg")), "37x23 89aad3968f9342e0");
}

TEST(JpegCodec, AByteTooManyBetweenSegmentsIsHarmless) {
  std::string bytes = fixture_bytes("rgb.jpg");
  bytes.insert(2, "\xff");
  EXPECT_EQ(summary_of(bytes), "37x23 695ebcdde6b59028");
}

TEST(JpegCodec, CodedDataThatEndsEarlyIsDataLoss) {
  std::string bytes = fixture_bytes("rgb.jpg");
  bytes.erase(bytes.size() - 100, 98);  // its end marker stays
  const auto picture = decode_jpeg(bytes, "a.jpg", {});
  ASSERT_FALSE(picture);
  EXPECT_EQ(picture.error().code, ErrorCode::kDataLoss);
  EXPECT_THAT(picture.error().message, HasSubstr("a.jpg: broken JPEG (Corrupt JPEG data"));
}

TEST(JpegCodec, GarbageBehindTheSignatureIsDataLoss) {
  const auto picture = decode_jpeg("\xff\xd8\xff\xe0 what is this?", "a.jpg", {});
  ASSERT_FALSE(picture);
  EXPECT_EQ(picture.error().code, ErrorCode::kDataLoss);
}

// The size stands five bytes behind the marker of the frame.
std::string with_size(std::string bytes, std::string_view height_and_width) {
  const std::size_t frame = bytes.find("\xff\xc0");
  EXPECT_NE(frame, std::string::npos);
  return bytes.replace(frame + 5, 4, height_and_width);
}

TEST(JpegCodec, RefusesAHugeSizeBeforeAllocating) {
  const auto huge = decode_jpeg(with_size(fixture_bytes("rgb.jpg"), "\xff\x01\xff\x01"), "a", {});
  ASSERT_FALSE(huge);
  EXPECT_EQ(huge.error().code, ErrorCode::kResourceExhausted);
  EXPECT_THAT(huge.error().message, HasSubstr("65281 x 65281 pixels, at most 178956970"));
}

TEST(JpegCodec, ALimitOfPixelsIsALimit) {
  const std::string bytes = fixture_bytes("rgb.jpg");
  EXPECT_TRUE(decode_jpeg(bytes, "a", {.max_pixels = 37 * 23}));
  EXPECT_FALSE(decode_jpeg(bytes, "a", {.max_pixels = 37 * 23 - 1}));
}

TEST(JpegCodec, ZeroSizeIsDataLoss) {
  using namespace std::string_view_literals;
  const auto picture = decode_jpeg(with_size(fixture_bytes("rgb.jpg"), "\0\0\0\x25"sv), "a", {});
  ASSERT_FALSE(picture);
  EXPECT_EQ(picture.error().code, ErrorCode::kDataLoss);
}

TEST(JpegCodec, RefusesMoreScansThanTheTimeLimitAllows) {
  std::string bytes = fixture_bytes("progressive.jpg");
  const auto fast = decode_jpeg(bytes, "a", {.max_seconds = 1e-6});
  ASSERT_FALSE(fast);
  EXPECT_EQ(fast.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_THAT(fast.error().message, HasSubstr("scans may take longer than 1e-06 s"));
}

double mean_difference(const Picture& a, const Picture& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i) sum += std::abs(a.rgb[i] - b.rgb[i]);
  return sum / static_cast<double>(a.rgb.size());
}

TEST(JpegCodec, WhatIsWrittenIsReadAlmostTheSame) {
  const auto picture = decode_jpeg(fixture_bytes("rgb.jpg"), "a", {});
  ASSERT_TRUE(picture);
  const auto fine = encode_jpeg(*picture, 95);
  const auto coarse = encode_jpeg(*picture, 10);
  ASSERT_TRUE(fine);
  ASSERT_TRUE(coarse);
  EXPECT_LT(coarse->size(), fine->size());
  const auto read = decode_jpeg(*fine, "b", {});
  ASSERT_TRUE(read);
  ASSERT_EQ(read->rgb.size(), picture->rgb.size());
  EXPECT_LT(mean_difference(*picture, *read), 6);
}

TEST(JpegCodec, WritesNoEmptyPictureAndNoStrangeQuality) {
  const Picture dot{.width = 1, .height = 1, .rgb = {1, 2, 3}};
  EXPECT_TRUE(encode_jpeg(dot, 1));
  for (const int quality : {0, 101, -5}) {
    const auto bytes = encode_jpeg(dot, quality);
    ASSERT_FALSE(bytes);
    EXPECT_EQ(bytes.error().code, ErrorCode::kInvalidArgument);
  }
  EXPECT_FALSE(encode_jpeg(Picture{}, 90));
  EXPECT_FALSE(encode_jpeg(Picture{.width = 2, .height = 1, .rgb = {1, 2, 3}}, 90));
}

}  // namespace
}  // namespace contra4::media
