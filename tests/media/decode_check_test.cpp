#include "contra4/media/decode_check.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_decoder.h"
#include "tests/support/test_env.h"

namespace contra4::media {
namespace {

using ::testing::HasSubstr;

const std::string kPng = "\x89PNG\r\n\x1a\n";
const std::string kFlac = "fLaC";
const std::string kMp4 = std::string("\0\0\0\x18", 4) + "ftypisom";

class DecodeCheck : public ::testing::Test {
 protected:
  Result<void> check(const std::string& bytes, Modality modality) {
    std::ofstream(folder_ / "file", std::ios::binary) << bytes;
    return check_decodes(folder_ / "file", modality, decoder_);
  }
  testing::TempDir folder_;
  testing::FakeDecoder decoder_;
};

TEST_F(DecodeCheck, IsFineWithWhatDecodes) {
  decoder_.num_frames = 40;
  EXPECT_TRUE(check(kPng, Modality::kImage));
  EXPECT_TRUE(check(kFlac, Modality::kAudio));
  EXPECT_TRUE(check(kMp4, Modality::kAudio));
  EXPECT_TRUE(check(kMp4, Modality::kVideo));
  EXPECT_TRUE(check("v 0 0 0\n", Modality::kPointCloud));
  EXPECT_TRUE(check(kPng, Modality::kPointCloud));
}

TEST_F(DecodeCheck, TellsWhatDoesNot) {
  EXPECT_THAT(check(kPng + "broken", Modality::kImage).error().message, HasSubstr("file: broken"));
  EXPECT_EQ(check(kFlac + "broken", Modality::kAudio).error().code, ErrorCode::kDataLoss);
  EXPECT_EQ(check(kMp4 + "broken", Modality::kVideo).error().code, ErrorCode::kDataLoss);
  EXPECT_EQ(check(kMp4 + "broken", Modality::kAudio).error().code, ErrorCode::kDataLoss);
  EXPECT_EQ(check("v 0 0 0\nv nan 0 0\n", Modality::kPointCloud).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(check(kFlac, Modality::kImage).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(check("", Modality::kImage).error().code, ErrorCode::kDataLoss);
  decoder_.sound_s = 0;
  EXPECT_EQ(check(kFlac, Modality::kAudio).error().message, "file: has no samples");
  decoder_.num_frames = 0;
  EXPECT_EQ(check(kMp4, Modality::kVideo).error().message, "file: has no frames");
}

}  // namespace
}  // namespace contra4::media
