#include "contra4/media/codecs/video_codec.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/media/codecs/codecs.h"
#include "tests/media/codec_fixtures.h"

namespace contra4::media {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::string_view_literals;

class VideoCodec : public ::testing::Test {
 protected:
  VideoCodec() { linked_decoder(); }  // makes FFmpeg silent, as in the program
};

std::unique_ptr<Video> opened(const std::string& bytes, const VideoOptions& options = {}) {
  auto video = open_video(bytes, "a.mp4", options);
  if (video) return std::move(*video);
  ADD_FAILURE() << video.error().message;
  return nullptr;
}

Error error_of(std::string_view bytes, const VideoOptions& options = {}) {
  const auto video = open_video(bytes, "a.mp4", options);
  if (!video) return video.error();
  ADD_FAILURE() << "opened with " << (*video)->timeline().frame_pts_ticks.size() << " frames";
  return {};
}

int red_at(const Picture& picture, int x, int y) {
  return picture.rgb[static_cast<std::size_t>(y * picture.width + x) * 3];
}

// Frame n of the fixtures has a luma of 20 + 10 n on its right half, without loss.
int number_shown(const Picture& picture) {
  const double luma = red_at(picture, picture.width - 1, 0) * 219 / 255.0 + 16;
  return static_cast<int>((luma - 20) / 10 + 0.5);
}

std::vector<int> numbers_shown(Video& video, const std::vector<std::int64_t>& numbers) {
  const auto frames = video.frames(numbers);
  if (!frames) {
    ADD_FAILURE() << frames.error().message;
    return {};
  }
  std::vector<int> shown;
  for (const Picture& picture : *frames) shown.push_back(number_shown(picture));
  return shown;
}

TEST_F(VideoCodec, TimesAreThoseOfTheFrames) {
  const std::string bytes = fixture_bytes("uneven.mp4");  // 100 n + 7 n n ms, with B-frames
  const auto video = opened(bytes);
  const VideoTimeline& timeline = video->timeline();
  EXPECT_EQ(timeline.time_base.numerator, 1);
  EXPECT_EQ(timeline.time_base.denominator, 1000);
  EXPECT_THAT(timeline.frame_pts_ticks,
              ElementsAre(0, 107, 228, 363, 512, 675, 852, 1043, 1248, 1467, 1700, 1947));
  EXPECT_EQ(timeline.start_ticks, 0);
  EXPECT_EQ(timeline.duration_ticks, 2047);  // the last frame is taken for 100 ms
  EXPECT_DOUBLE_EQ(timeline.average_fps.value(), 12 / 2.047);
}

TEST_F(VideoCodec, RatesOfEveryContainerAreTheirs) {
  for (const char* name : {"vp9.webm", "mpeg4.mov", "one_frame.mp4", "with_sound.mp4"}) {
    const std::string bytes = fixture_bytes(name);
    EXPECT_DOUBLE_EQ(opened(bytes)->timeline().average_fps.value(), 10) << name;
  }
}

TEST_F(VideoCodec, FramesComeInTheOrderAsked) {
  const std::string bytes = fixture_bytes("uneven.mp4");
  const auto video = opened(bytes);
  EXPECT_THAT(numbers_shown(*video, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}),
              ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
  EXPECT_THAT(numbers_shown(*video, {11, 0, 6, 6, 3}), ElementsAre(11, 0, 6, 6, 3));
  EXPECT_THAT(numbers_shown(*video, {}), ElementsAre());
}

// Every way to jump forward, back, into a group of pictures and to its end.
TEST_F(VideoCodec, AnyFrameAfterAnyOther) {
  for (const char* name : {"uneven.mp4", "vp9.webm"}) {
    const std::string bytes = fixture_bytes(name);
    const auto video = opened(bytes);
    for (std::int64_t first = 0; first < 12; ++first) {
      for (std::int64_t second = 0; second < 12; ++second) {
        ASSERT_THAT(numbers_shown(*video, {first}), ElementsAre(first)) << name;
        ASSERT_THAT(numbers_shown(*video, {second}), ElementsAre(second)) << name << first;
      }
    }
  }
}

TEST_F(VideoCodec, NumbersThatAreNoFrameAreRefused) {
  const std::string bytes = fixture_bytes("uneven.mp4");
  const auto video = opened(bytes);
  for (const std::int64_t number : {std::int64_t{-1}, std::int64_t{12}, INT64_MAX}) {
    const auto frames = video->frames(std::vector<std::int64_t>{0, number});
    ASSERT_FALSE(frames);
    EXPECT_EQ(frames.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(frames.error().message, HasSubstr("it has 12"));
  }
  EXPECT_THAT(numbers_shown(*video, {5}), ElementsAre(5));
}

TEST_F(VideoCodec, OneFrameIsAVideo) {
  const std::string bytes = fixture_bytes("one_frame.mp4");
  const auto video = opened(bytes);
  EXPECT_THAT(video->timeline().frame_pts_ticks, ElementsAre(0));
  EXPECT_THAT(numbers_shown(*video, {0}), ElementsAre(0));
}

TEST_F(VideoCodec, TurnsAsTheDisplayMatrixSaysUnlessToldOtherwise) {
  const std::string bytes = fixture_bytes("turned.mp4");  // a quarter, its left half is brighter
  const auto as_stored = opened(bytes, {.applies_rotation = false, .limits = {}})->frames({{0}});
  ASSERT_TRUE(as_stored);
  const Picture& stored = (*as_stored)[0];
  EXPECT_EQ(stored.width, 48);
  EXPECT_GT(red_at(stored, 0, 0), red_at(stored, 47, 0) + 80);
  const auto as_shown = opened(bytes)->frames({{0}});
  ASSERT_TRUE(as_shown);
  const Picture& shown = (*as_shown)[0];
  EXPECT_EQ(shown.width, 32);
  EXPECT_EQ(shown.height, 48);
  // Counter-clockwise, as the ffmpeg program and decord show it: what was left is below.
  EXPECT_GT(red_at(shown, 0, 47), red_at(shown, 0, 0) + 80);
}

// Y 120, Cb 90, Cr 170 by the published matrices, to two levels.
TEST_F(VideoCodec, MatrixAndRangeAreTheFiles) {
  const std::vector<std::pair<const char*, std::vector<int>>> expected = {
      {"bt601.mp4", {188, 102, 44}},  // 1.164 (Y - 16) + 1.596 (Cr - 128), ...
      {"bt709.mp4", {196, 107, 41}},
      {"full.mp4", {179, 103, 53}},
  };
  for (const auto& [name, color] : expected) {
    const std::string bytes = fixture_bytes(name);
    const auto frames = opened(bytes)->frames({{0}});
    ASSERT_TRUE(frames);
    for (std::size_t c = 0; c < 3; ++c) {
      EXPECT_NEAR((*frames)[0].rgb[c], color[c], 2) << name << " channel " << c;
    }
  }
}

// Hashes of decord 0.6.0 and PyAV 18.1, which agree.
TEST_F(VideoCodec, GoldenFramesAreDecords) {
  CONTRA4_REQUIRE_SHARED();
  const std::string bytes = golden_bytes("clip14s.mp4");
  const auto video = opened(bytes);
  EXPECT_EQ(video->timeline().frame_pts_ticks.size(), 350U);
  EXPECT_DOUBLE_EQ(video->timeline().average_fps.value(), 25);
  const auto frames = video->frames({{260, 0, 65, 130, 195}});
  ASSERT_TRUE(frames) << frames.error().message;
  EXPECT_EQ(summary((*frames)[0]), "320x240 bfcec5dd8846f84d");
  EXPECT_EQ(summary((*frames)[1]), "320x240 04211515385732f8");
  EXPECT_EQ(summary((*frames)[4]), "320x240 dfb0e4bd154f6c74");
}

TEST_F(VideoCodec, ACutFileIsDataLoss) {
  for (const char* name : {"uneven.mp4", "with_sound.mp4", "vp9.webm", "mpeg4.mov"}) {
    const std::string bytes = fixture_bytes(name);
    for (std::size_t size = 60; size < bytes.size(); size += bytes.size() / 50) {
      const std::string cut = bytes.substr(0, size);
      const auto video = open_video(cut, name, {});
      ASSERT_FALSE(video) << name << " cut at " << size;
      EXPECT_EQ(video.error().code, ErrorCode::kDataLoss) << video.error().message;
    }
  }
}

TEST_F(VideoCodec, ADamagedFrameIsDataLossAndTheNextOneIsNot) {
  std::string bytes = fixture_bytes("vp9.webm");
  // The first byte of a key frame's block tells its kind.
  const auto whole = opened(bytes);
  ASSERT_THAT(numbers_shown(*whole, {8}), ElementsAre(8));
  const std::size_t last_key = bytes.rfind("\x49\x83\x42");  // the mark of VP9's key frames
  ASSERT_NE(last_key, std::string::npos);
  bytes[last_key] = 0x11;
  const auto video = opened(bytes);
  const auto frames = video->frames({{11}});
  ASSERT_FALSE(frames);
  EXPECT_EQ(frames.error().code, ErrorCode::kDataLoss);
  EXPECT_THAT(frames.error().message, HasSubstr("does not decode"));
  EXPECT_THAT(numbers_shown(*video, {1}), ElementsAre(1));
}

// vp9.webm with 2^52 units of nearly 17 ms between its first three frames and the rest, and no word
// of its rate.
std::string far_apart() {
  std::string bytes = fixture_bytes("vp9.webm");
  const auto put = [&](std::size_t at, std::string_view patch) {
    bytes.replace(at, patch.size(), patch);
  };
  put(bytes.find("\x2a\xd7\xb1\x83"sv) + 4, "\xff\xff\xff"sv);      // TimecodeScale
  put(bytes.find("\x23\xe3\x83\x84"sv), "\xec\x86\0\0\0\0\0\0"sv);  // DefaultDuration
  const std::size_t cluster = bytes.find("\x1f\x43\xb6\x75"sv);
  const std::size_t fourth = bytes.find("\xa3\xc7\x81\x01\x2c"sv);
  put(fourth, "\x1f\x43\xb6\x75\x42\x58\xe7\x88\0\x10\0\0\0\0\0\0\xec\xb7"sv);  // a cluster
  put(cluster + 4, std::string{'\x40', static_cast<char>(fourth - cluster - 6)});
  return bytes;
}

TEST_F(VideoCodec, FramesAgesApartHaveARateThatIsNoOverflow) {
  const std::string bytes = far_apart();
  const auto video = opened(bytes);
  const VideoTimeline& timeline = video->timeline();
  ASSERT_EQ(timeline.frame_pts_ticks.size(), 11U);
  EXPECT_GT(timeline.frame_pts_ticks.back(), std::int64_t{1} << 52);
  EXPECT_GT(timeline.average_fps.denominator, 0);
  EXPECT_GE(timeline.average_fps.numerator, 0);
  EXPECT_LT(timeline.average_fps.value(), 1e-6);
}

TEST_F(VideoCodec, EveryLimitIsOne) {
  const std::string bytes = fixture_bytes("uneven.mp4");
  const Error pixels = error_of(bytes, {.limits = {.max_pixels = 48 * 32 - 1}});
  EXPECT_EQ(pixels.code, ErrorCode::kResourceExhausted);
  EXPECT_THAT(pixels.message, HasSubstr("48 x 32 pixels"));
  EXPECT_EQ(error_of(bytes, {.limits = {.max_frames = 11}}).code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(error_of(bytes, {.limits = {.max_seconds = 0}}).code, ErrorCode::kDeadlineExceeded);
  EXPECT_NE(opened(bytes, {.limits = {.max_pixels = 48 * 32, .max_frames = 12}}), nullptr);
}

TEST_F(VideoCodec, WhatIsNoVideoIsNamed) {
  EXPECT_EQ(error_of("").code, ErrorCode::kDataLoss);
  EXPECT_THAT(error_of(fixture_bytes("rgb.png")).message, HasSubstr("found image/png"));
  const Error sound = error_of(fixture_bytes("tone.m4a"));
  EXPECT_EQ(sound.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(sound.message, HasSubstr("found no video track"));
  EXPECT_EQ(error_of("\0\0\0\x14"
                     "ftypisom\0\0\0\0isom"sv)
                .code,
            ErrorCode::kDataLoss);
}

// The thread sanitizer looks at this one.
TEST_F(VideoCodec, ManyThreadsDecodeAtOnce) {
  const std::string video_bytes = fixture_bytes("uneven.mp4");
  const std::string sound_bytes = fixture_bytes("tone.ogg");
  const std::string picture_bytes = fixture_bytes("lossy.webp");
  const std::string broken_bytes = fixture_bytes("rgb.png").substr(0, 300);
  const MediaDecoder& decoder = linked_decoder();
  std::vector<int> num_right(4, 0);
  {
    std::vector<std::jthread> threads;
    for (int& count : num_right) {
      threads.emplace_back([&] {
        for (int i = 0; i < 5; ++i) {
          const auto video = decoder.open_video(video_bytes, "v", {});
          const auto frames = (*video)->frames({{7}});
          count += frames && number_shown((*frames)[0]) == 7;
          count += decoder.decode_sound(sound_bytes, "s", {})->num_frames() == 4000;
          count += decoder.decode_picture(picture_bytes, "p", {})->width == 37;
          count += !decoder.decode_picture(broken_bytes, "b", {});
        }
      });
    }
  }
  EXPECT_THAT(num_right, Each(20));
}

}  // namespace
}  // namespace contra4::media
