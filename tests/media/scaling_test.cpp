#include "contra4/media/codecs/scaling.h"

#include <cmath>
#include <cstddef>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/media/codecs/picture_codec.h"
#include "tests/media/codec_fixtures.h"

namespace contra4::media {
namespace {

using ::testing::HasSubstr;

Picture fixture_picture() {
  return decode_picture(fixture_bytes("rgb.png"), "rgb.png", {}).value();
}

// The hashes are of Pillow 9.4.0's resize(size, BILINEAR).
TEST(Scaling, ResizesToPillowsBytes) {
  const Picture picture = fixture_picture();
  const std::vector<std::pair<std::pair<int, int>, const char*>> expected = {
      {{10, 7}, "10x7 e5262297e13bd978"},   {{37, 7}, "37x7 e8b8880e219a3d0d"},
      {{12, 23}, "12x23 23ec5b75719d9fa2"}, {{80, 50}, "80x50 2c514d241398e090"},
      {{1, 1}, "1x1 f531ffc3dd18efe9"},     {{37, 40}, "37x40 7271318936f26256"}};
  for (const auto& [size, wanted] : expected) {
    const auto result = resize(picture, size.first, size.second);
    ASSERT_TRUE(result);
    EXPECT_EQ(summary(*result), wanted);
  }
}

TEST(Scaling, TheSameSizeIsTheSamePicture) {
  const Picture picture = fixture_picture();
  EXPECT_EQ(resize(picture, 37, 23)->rgb, picture.rgb);
}

TEST(Scaling, RefusesSizesThatAreNone) {
  const Picture picture = fixture_picture();
  for (const auto& [width, height] :
       std::vector<std::pair<int, int>>{{0, 5}, {5, 0}, {-1, 5}, {65536, 1}}) {
    const auto result = resize(picture, width, height);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
  }
  EXPECT_FALSE(resize(Picture{}, 5, 5));
}

Sound tone(int rate_hz, double frequency_hz, std::size_t num_frames) {
  Sound sound{.sample_rate_hz = rate_hz, .num_channels = 1, .samples = {}};
  for (std::size_t i = 0; i < num_frames; ++i) {
    const double phase = 2 * std::numbers::pi * frequency_hz * static_cast<double>(i) / rate_hz;
    sound.samples.push_back(static_cast<float>(0.5 * std::sin(phase)));
  }
  return sound;
}

// Away from the ends, where the filter has no neighbours.
double largest_difference(const Sound& a, const Sound& b) {
  double largest = 0;
  for (std::size_t i = 200; i + 200 < a.samples.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a.samples[i]) - b.samples[i]));
  }
  return largest;
}

TEST(Scaling, AToneStaysInPlaceAtAnyRate) {
  for (const int rate : {8000, 22050, 44100, 48000, 16001}) {
    const auto result = resample_mono(tone(rate, 440, static_cast<std::size_t>(rate)), 16000);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->sample_rate_hz, 16000);
    EXPECT_EQ(result->num_channels, 1);
    ASSERT_EQ(result->num_frames(), 16000U) << rate;
    EXPECT_LT(largest_difference(*result, tone(16000, 440, 16000)), 2e-3) << rate;
  }
}

TEST(Scaling, RoundsTheLengthUp) {
  EXPECT_EQ(resample_mono(tone(44100, 440, 1000), 16000)->num_frames(), 363U);  // 362.8
  EXPECT_EQ(resample_mono(tone(44100, 440, 1), 16000)->num_frames(), 1U);
  EXPECT_EQ(resample_mono(tone(8000, 440, 3), 48000)->num_frames(), 18U);
}

TEST(Scaling, OneChannelIsTheMeanOfAll) {
  const Sound stereo{
      .sample_rate_hz = 8000, .num_channels = 2, .samples = {0.5F, -1, 0.25F, 0.5F, 0, 0.75F}};
  const auto result = resample_mono(stereo, 8000);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->samples, (std::vector<float>{0.5F, -0.5F, 0.5F}));
}

TEST(Scaling, RefusesSoundsThatAreNone) {
  for (const Sound& sound :
       {Sound{}, Sound{.sample_rate_hz = 8000, .num_channels = 1, .samples = {}},
        Sound{.sample_rate_hz = 8000, .num_channels = 2, .samples = {1}}}) {
    const auto result = resample_mono(sound, 16000);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
  }
  const auto rate = resample_mono(tone(8000, 440, 10), 0);
  ASSERT_FALSE(rate);
  EXPECT_THAT(rate.error().message, HasSubstr("a rate from 1 to 768000 Hz, not 0"));
}

}  // namespace
}  // namespace contra4::media
