#include "contra4/media/transcode.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_decoder.h"

namespace contra4::media {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(Wav, HoldsSamplesChannelByChannel) {
  const std::string wav = write_wav({16'000, 2, {0, 1, -1, 2, -2, 0.5F}});
  const auto number = [&](std::size_t at, int num_bytes) {
    std::uint32_t value = 0;
    for (int i = num_bytes - 1; i >= 0; --i) {
      value = value << 8U | static_cast<unsigned char>(wav[at + static_cast<std::size_t>(i)]);
    }
    return value;
  };
  ASSERT_EQ(wav.size(), 44U + 12);
  EXPECT_EQ(wav.substr(0, 4), "RIFF");
  EXPECT_EQ(number(4, 4), 36U + 12);
  EXPECT_EQ(wav.substr(8, 8), "WAVEfmt ");
  EXPECT_EQ(number(20, 2), 1U);
  EXPECT_EQ(number(22, 2), 2U);
  EXPECT_EQ(number(24, 4), 16'000U);
  EXPECT_EQ(number(28, 4), 64'000U);
  EXPECT_EQ(number(32, 2), 4U);
  EXPECT_EQ(number(34, 2), 16U);
  EXPECT_EQ(number(40, 4), 12U);
  std::vector<std::int16_t> samples;
  for (std::size_t at = 44; at < wav.size(); at += 2) {
    samples.push_back(static_cast<std::int16_t>(number(at, 2)));
  }
  EXPECT_THAT(samples, ElementsAre(0, 32767, 32767, -32767, -32767, 16384));
}

TEST(Transcode, KeepsAPictureThatFitsAndShrinksOneThatDoesNot) {
  testing::FakeDecoder decoder;
  const auto jpeg = [&](const PictureBounds& bounds) {
    return transcode_picture("x", "x.bmp", bounds, decoder).value().bytes;
  };
  EXPECT_THAT(jpeg({}), HasSubstr(" 640x480 92 "));
  EXPECT_THAT(jpeg({.max_side = 320}), HasSubstr(" 320x240 92 "));
  EXPECT_THAT(jpeg({.max_side = 1000}), HasSubstr(" 640x480 92 "));
  // 640 x 480 at quality 80 are 245,760 bytes of the fake's.
  EXPECT_THAT(jpeg({.max_bytes = 250'000}), HasSubstr(" 640x480 80 "));
  const std::string small = jpeg({.max_bytes = 20'000});
  EXPECT_LE(small.size(), 20'000U);
  EXPECT_THAT(small, HasSubstr("153x115 92"));
  const auto none = transcode_picture("x", "x.bmp", {.max_bytes = 5}, decoder);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kResourceExhausted);
  EXPECT_THAT(none.error().message, StartsWith("x.bmp: no picture of it has 5 bytes"));
}

TEST(Transcode, KeepsThinPicturesAPixelWide) {
  testing::FakeDecoder decoder;
  decoder.width = 5000;
  decoder.height = 2;
  EXPECT_THAT(transcode_picture("x", "x", {.max_side = 100}, decoder).value().bytes,
              HasSubstr(" 100x1 "));
}

TEST(Transcode, MakesSoundsMonoOfSixteenKilohertz) {
  testing::FakeDecoder decoder;
  const TranscodedPart part = transcode_sound("x", "x.flac", 1 << 20, decoder).value();
  EXPECT_EQ(part.mime_type, "audio/wav");
  EXPECT_EQ(part.format, "wav");
  EXPECT_EQ(part.bytes.size(), 44U + 2 * 32'000);
  decoder.sound_s = 100;
  const auto large = transcode_sound("x", "x.flac", 1 << 20, decoder);
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, ErrorCode::kResourceExhausted);
  EXPECT_THAT(large.error().message, HasSubstr("x.flac: 100 s of sound"));
}

TEST(Transcode, TakesFramesFromTheMiddleOfEqualParts) {
  testing::FakeDecoder decoder;
  const auto parts = transcode_video("x", "x.mp4", 5, {}, decoder).value();
  ASSERT_EQ(parts.size(), 5U);
  // Ten frames of half a second: the middles are at 0.5, 1.5, ... s, where frames 1, 3, ... begin.
  EXPECT_THAT(parts[0].bytes, HasSubstr(" 64x2 "));
  EXPECT_THAT(parts[4].bytes, HasSubstr(" 64x10 "));
  EXPECT_EQ(parts[0].words, "5 frames of one video, in order, at 0.5, 1.5, 2.5, 3.5, 4.5 s:");
  EXPECT_THAT(parts[1].words, IsEmpty());
  EXPECT_EQ(transcode_video("x", "x.mp4", 1, {}, decoder).value()[0].words,
            "One frame of a video, at 2.5 s:");
  decoder.num_frames = 3;
  EXPECT_EQ(transcode_video("x", "x.mp4", 8, {}, decoder).value().size(), 3U);
  decoder.num_frames = 0;
  EXPECT_EQ(transcode_video("x", "x.mp4", 8, {}, decoder).error().code,
            ErrorCode::kInvalidArgument);
}

TEST(Transcode, SharesTheBytesAmongFrames) {
  testing::FakeDecoder decoder;
  decoder.num_frames = 1000;
  const auto parts = transcode_video("x", "x.mp4", 4, {.max_bytes = 40'000}, decoder).value();
  for (const TranscodedPart& part : parts) EXPECT_LE(part.bytes.size(), 10'000U);
}

TEST(MiddleFrames, FollowTimesNotNumbers) {
  VideoTimeline timeline;
  timeline.time_base = {1, 1};
  timeline.frame_pts_ticks = {100, 101, 102, 103, 104, 150, 200};
  timeline.duration_ticks = 120;
  // Of 120 ticks the middles of four parts are at 115, 145, 175 and 205.
  EXPECT_THAT(middle_frames(timeline, 4), ElementsAre(4, 5, 6));
  timeline.duration_ticks = 0;
  EXPECT_THAT(middle_frames(timeline, 1), ElementsAre(5));
  timeline.frame_pts_ticks = {7};
  EXPECT_THAT(middle_frames(timeline, 4), ElementsAre(0));
}

TEST(Transcode, DrawsObjects) {
  const testing::FakeDecoder decoder;
  const TranscodedPart part = transcode_points("v 0 0 0\nv 1 1 1\n", "x.obj",
                                               {.view_side = 64, .num_views = 2}, {}, decoder)
                                  .value();
  EXPECT_THAT(part.bytes, HasSubstr(" 132x64 92 "));
  EXPECT_THAT(part.words, HasSubstr("drawn 2 times"));
  EXPECT_EQ(transcode_points("v 0 0\n", "x.obj", {}, {}, decoder).error().code,
            ErrorCode::kDataLoss);
}

TEST(Transcode, PassesOnWhatDoesNotDecode) {
  const testing::FakeDecoder decoder;
  EXPECT_EQ(transcode_picture("broken", "x", {}, decoder).error().code, ErrorCode::kDataLoss);
  EXPECT_EQ(transcode_sound("broken", "x", 100, decoder).error().code, ErrorCode::kDataLoss);
  EXPECT_EQ(transcode_video("broken", "x", 8, {}, decoder).error().code, ErrorCode::kDataLoss);
}

}  // namespace
}  // namespace contra4::media
