#include "contra4/media/codecs/sound_codec.h"

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/media/codecs/codecs.h"
#include "tests/media/codec_fixtures.h"

namespace contra4::media {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::string_view_literals;

class SoundCodec : public ::testing::Test {
 protected:
  SoundCodec() { linked_decoder(); }  // makes FFmpeg silent, as in the program
};

std::string little_endian(std::uint64_t value, int num_bytes) {
  std::string bytes;
  for (int i = 0; i < num_bytes; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

struct WavHead {
  int format = 1;  // 1 integers, 3 floating point
  int bits = 16;
  int num_channels = 1;
  int rate_hz = 8000;
  std::int64_t stated_bytes = -1;  // of samples; -1: as many as there are
};

std::string wav(const WavHead& head, std::string_view samples) {
  const int frame_bytes = head.num_channels * head.bits / 8;
  const std::size_t stated =
      head.stated_bytes < 0 ? samples.size() : static_cast<std::size_t>(head.stated_bytes);
  std::string file = "RIFF" + little_endian(36 + samples.size(), 4) + "WAVEfmt ";
  file += little_endian(16, 4) + little_endian(head.format, 2);
  file += little_endian(head.num_channels, 2) + little_endian(head.rate_hz, 4);
  file += little_endian(std::uint64_t{1} * head.rate_hz * frame_bytes, 4);
  file += little_endian(frame_bytes, 2) + little_endian(head.bits, 2);
  return file + "data" + little_endian(stated, 4) + std::string(samples);
}

Sound decoded(const std::string& bytes, const SoundOptions& options = {}) {
  auto sound = decode_sound(bytes, "a.wav", options);
  if (sound) return *sound;
  ADD_FAILURE() << sound.error().message;
  return {};
}

Error error_of(std::string_view bytes, const SoundOptions& options = {}) {
  const auto sound = decode_sound(bytes, "a.wav", options);
  if (!sound) return sound.error();
  ADD_FAILURE() << "decoded to " << sound->num_frames() << " samples";
  return {};
}

TEST_F(SoundCodec, IntegersAreDividedByHalfTheirRange) {
  const Sound eight = decoded(wav({.bits = 8}, "\x80\x00\xff\x81"sv));
  EXPECT_THAT(eight.samples, ElementsAre(0.0F, -1.0F, 127 / 128.0F, 1 / 128.0F));
  const Sound sixteen = decoded(wav({.bits = 16}, "\0\0\0\x80\xff\x7f\x01\0"sv));
  EXPECT_THAT(sixteen.samples, ElementsAre(0.0F, -1.0F, 32767 / 32768.0F, 1 / 32768.0F));
  const Sound more = decoded(wav({.bits = 24}, "\0\0\0\0\0\x80\xff\xff\x7f\x01\0\0"sv));
  EXPECT_THAT(more.samples, ElementsAre(0.0F, -1.0F, 8388607 / 8388608.0F, 1 / 8388608.0F));
  const Sound most = decoded(wav({.bits = 32}, "\0\0\0\0\0\0\0\x80\0\0\0\x40"sv));
  EXPECT_THAT(most.samples, ElementsAre(0.0F, -1.0F, 0.5F));
  EXPECT_EQ(eight.sample_rate_hz, 8000);
  EXPECT_EQ(eight.num_channels, 1);
}

TEST_F(SoundCodec, FloatingPointStaysAsItIs) {
  std::string samples;
  for (const float value : {0.0F, -1.0F, 0.1F, 1.5F}) {
    samples += little_endian(std::bit_cast<std::uint32_t>(value), 4);
  }
  EXPECT_THAT(decoded(wav({.format = 3, .bits = 32}, samples)).samples,
              ElementsAre(0.0F, -1.0F, 0.1F, 1.5F));
  const std::string wide = little_endian(std::bit_cast<std::uint64_t>(0.1), 8);
  EXPECT_THAT(decoded(wav({.format = 3, .bits = 64}, wide)).samples, ElementsAre(0.1F));
}

TEST_F(SoundCodec, ChannelsLieOneBehindTheOther) {
  const Sound sound =
      decoded(wav({.bits = 8, .num_channels = 3, .rate_hz = 44100}, "\x80\x90\xa0\x81\x91\xa1"sv));
  EXPECT_EQ(sound.num_channels, 3);
  EXPECT_EQ(sound.sample_rate_hz, 44100);
  EXPECT_EQ(sound.num_frames(), 2U);
  EXPECT_THAT(sound.samples,
              ElementsAre(0.0F, 1 / 128.0F, 16 / 128.0F, 17 / 128.0F, 32 / 128.0F, 33 / 128.0F));
}

// Every fixture is a quarter of a second of 440 Hz, half as loud as can be.
double largest_error_of_tone(const Sound& sound) {
  double largest = 0;
  for (std::size_t i = sound.num_frames() / 4; i < sound.num_frames() * 3 / 4; ++i) {
    const double phase = 2 * std::numbers::pi * 440 * static_cast<double>(i) / sound.sample_rate_hz;
    largest = std::max(largest, std::abs(sound.samples[i] - 0.5 * std::sin(phase)));
  }
  return largest;
}

TEST_F(SoundCodec, EveryKindOfFileStartsAndEndsWhereTheSoundDid) {
  struct Expected {
    const char* name;
    double largest_error;  // the codec's own
  };
  for (const auto& [name, largest_error] :
       {Expected{"tone.flac", 2e-5}, Expected{"tone24.flac", 1e-6}, Expected{"tone.mp3", 0.03},
        Expected{"tone.ogg", 0.03}, Expected{"tone.m4a", 0.02}, Expected{"alaw.wav", 0.02}}) {
    const Sound sound = decoded(fixture_bytes(name));
    EXPECT_EQ(sound.sample_rate_hz, 16000) << name;
    EXPECT_EQ(sound.num_channels, 1) << name;
    EXPECT_EQ(sound.num_frames(), 4000U) << name;
    EXPECT_LT(largest_error_of_tone(sound), largest_error) << name;
  }
  const Sound opus = decoded(fixture_bytes("opus.ogg"));
  EXPECT_EQ(opus.sample_rate_hz, 48000);  // the only rate that opus has
  EXPECT_EQ(opus.num_frames(), 12000U);
  EXPECT_LT(largest_error_of_tone(opus), 0.05);
}

TEST_F(SoundCodec, ReadsTheTrackOfAVideo) {
  const Sound sound = decoded(fixture_bytes("with_sound.mp4"));
  EXPECT_EQ(sound.sample_rate_hz, 16000);
  EXPECT_GT(sound.num_frames(), 4000U);
  EXPECT_LT(largest_error_of_tone(sound), 0.02);
  const Error silent = error_of(fixture_bytes("uneven.mp4"));
  EXPECT_EQ(silent.code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(silent.message, "a.wav: no sound track in it");
}

TEST_F(SoundCodec, GoldenSoundsAreExact) {
  CONTRA4_REQUIRE_SHARED();
  const Sound wave = decoded(golden_bytes("speech16k.wav"));
  EXPECT_EQ(wave.num_frames(), 70704U);
  EXPECT_EQ(decoded(golden_bytes("speech16k.flac")).samples, wave.samples);
  const Sound stereo = decoded(golden_bytes("tones44k_stereo.wav"));
  EXPECT_EQ(stereo.num_channels, 2);
  EXPECT_EQ(stereo.num_frames(), 176400U);
  EXPECT_EQ(decoded(golden_bytes("short.wav")).num_frames(), 11200U);
  // Its samples fill 24 bits exactly.
  const Sound deep = decoded(golden_bytes("speech48k_24bit.wav"));
  EXPECT_EQ(deep.num_frames(), 212112U);
  bool is_finer_than_16_bits = false;
  for (const float sample : deep.samples) {
    const double scaled = static_cast<double>(sample) * 8388608;
    ASSERT_EQ(scaled, std::round(scaled));
    is_finer_than_16_bits |= std::fmod(scaled, 256) != 0;
  }
  EXPECT_TRUE(is_finer_than_16_bits);
}

TEST_F(SoundCodec, KeepsNoMoreThanAsked) {
  const std::string bytes = wav({.bits = 8}, std::string(8000, '\x90'));
  EXPECT_EQ(decoded(bytes, {.max_kept_s = 0.25, .limits = {}}).num_frames(), 2000U);
  EXPECT_EQ(decoded(bytes, {.max_kept_s = 10, .limits = {}}).num_frames(), 8000U);
  EXPECT_EQ(decoded(bytes, {.max_kept_s = 0.5, .limits = {.max_sound_s = 0.6}}).num_frames(), 4000U)
      << "the limit is of what is decoded, not of the file";
}

TEST_F(SoundCodec, TooLongIsRefused) {
  const std::string bytes = wav({.bits = 8}, std::string(8000, '\x90'));
  EXPECT_EQ(decoded(bytes, {.limits = {.max_sound_s = 1}}).num_frames(), 8000U);
  const Error error = error_of(bytes, {.limits = {.max_sound_s = 0.9}});
  EXPECT_EQ(error.code, ErrorCode::kResourceExhausted);
  EXPECT_THAT(error.message, HasSubstr("more than 0.9 s of 1 channels at 8000 Hz"));
}

TEST_F(SoundCodec, TooSlowIsRefused) {
  const Error error = error_of(fixture_bytes("tone.flac"), {.limits = {.max_seconds = 0}});
  EXPECT_EQ(error.code, ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(error.message, "a.wav: decoding takes longer than 0 s");
}

TEST_F(SoundCodec, ACutFileIsDataLoss) {
  for (const char* name : {"tone.flac", "alaw.wav", "tone.m4a", "tone.ogg", "with_sound.mp4"}) {
    const std::string bytes = fixture_bytes(name);
    for (std::size_t size = 12; size < bytes.size(); size += bytes.size() / 40) {
      const std::string cut = bytes.substr(0, size);
      const auto sound = decode_sound(cut, name, {});
      const bool ends_between_pages = name == "tone.ogg"sv && sound;
      ASSERT_TRUE(!sound || ends_between_pages) << name << " cut at " << size;
      if (sound) continue;
      EXPECT_EQ(sound.error().code, ErrorCode::kDataLoss) << sound.error().message;
    }
  }
}

TEST_F(SoundCodec, ACutMp3HasFewerSamplesOrIsDataLoss) {
  const std::string bytes = fixture_bytes("tone.mp3");
  for (std::size_t size = 12; size < bytes.size(); size += 50) {
    const auto sound = decode_sound(std::string(bytes.substr(0, size)), "a.mp3", {});
    if (sound) {
      EXPECT_LT(sound->num_frames(), 4700U);
    } else {
      EXPECT_EQ(sound.error().code, ErrorCode::kDataLoss);
    }
  }
}

TEST_F(SoundCodec, ADamagedFlacIsDataLoss) {
  std::string bytes = fixture_bytes("tone.flac");
  bytes[bytes.size() - 300] ^= 0x10;
  EXPECT_EQ(error_of(bytes).code, ErrorCode::kDataLoss);
}

TEST_F(SoundCodec, AWavThatDoesNotSayItsLengthIsReadToItsEnd) {
  const std::string samples(2000, '\x90');
  for (const std::int64_t stated : {std::int64_t{0xffffffff}, std::int64_t{0x7fffffff}}) {
    EXPECT_EQ(decoded(wav({.bits = 8, .stated_bytes = stated}, samples)).num_frames(), 2000U);
  }
}

TEST_F(SoundCodec, NoSamplesIsDataLoss) {
  const Error error = error_of(wav({}, ""));
  EXPECT_EQ(error.code, ErrorCode::kDataLoss);
  EXPECT_THAT(error.message, HasSubstr("its sound track is empty"));
}

TEST_F(SoundCodec, HeadsThatCannotBeAreRefused) {
  const std::string samples(64, 'x');
  for (const WavHead& head : {WavHead{.num_channels = 0}, WavHead{.rate_hz = 0}, WavHead{.bits = 0},
                              WavHead{.num_channels = 60000}, WavHead{.rate_hz = 0x7fffffff},
                              WavHead{.format = 0x7777}}) {
    EXPECT_FALSE(decode_sound(wav(head, samples), "a.wav", {}));
  }
}

TEST_F(SoundCodec, WhatIsNoSoundIsNamed) {
  EXPECT_EQ(error_of("").code, ErrorCode::kDataLoss);
  const Error text = error_of("just words");
  EXPECT_EQ(text.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(text.message,
              HasSubstr("wanted a sound (wav, flac, mp3, ogg, m4a) or a video, found"));
  const Error picture = error_of(fixture_bytes("rgb.png"));
  EXPECT_EQ(picture.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(picture.message, HasSubstr("found image/png"));
}

TEST_F(SoundCodec, PlaylistsOpenNothing) {
  for (const std::string_view list : {"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1,\n/etc/passwd\n"sv,
                                      "ffconcat version 1.0\nfile a.wav\n"sv}) {
    EXPECT_EQ(error_of(list).code, ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace contra4::media
