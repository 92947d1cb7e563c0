#include "contra4/media/encode.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_env.h"

namespace contra4::media {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kPng = std::string("\x89PNG\r\n\x1a\n") + "pixels";
const std::string kWav = std::string("RIFF\x10\0\0\0WAVEfmt ", 16) + "samples";
const std::string kMp4 = std::string("\0\0\0\x18", 4) + "ftypisom" + "frames";

class Encode : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }
  Error error_of(const std::filesystem::path& path, Modality modality) {
    const auto loaded = load_media_for_request(path, modality);
    EXPECT_FALSE(loaded.has_value());
    if (loaded) return {};
    EXPECT_THAT(loaded.error().message, Not(HasSubstr(folder_.path().string())));
    return loaded.error();
  }
  testing::TempDir folder_;
};

TEST(Base64, IsTheStandardOneWithPadding) {
  EXPECT_EQ(base64_encode(""), "");
  EXPECT_EQ(base64_encode("f"), "Zg==");
  EXPECT_EQ(base64_encode("fo"), "Zm8=");
  EXPECT_EQ(base64_encode("foo"), "Zm9v");
  EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64_encode(std::string("\0\xff\xfe", 3)), "AP/+");
}

TEST(Base64, HasNoPaddingBetweenBlocks) {
  const std::string bytes((3U << 20) + 1, 'a');
  const std::string text = base64_encode(bytes);
  EXPECT_EQ(text.size(), (bytes.size() + 2) / 3 * 4);
  EXPECT_EQ(text.find('='), text.size() - 2);
  EXPECT_EQ(text.find('\0'), std::string::npos);
}

TEST_F(Encode, TellsTypesByContentWhateverTheName) {
  const auto picture = load_media_for_request(write("a.jpg", kPng), Modality::kImage).value();
  EXPECT_EQ(picture.mime_type, "image/png");
  EXPECT_EQ(picture.format, "png");
  EXPECT_EQ(data_url(picture), "data:image/png;base64," + base64_encode(kPng));
  EXPECT_EQ(load_media_for_request(write("b", kWav), Modality::kAudio).value().format, "wav");
  EXPECT_EQ(load_media_for_request(write("c", kMp4), Modality::kVideo).value().format, "mp4");
}

TEST_F(Encode, TakesAVideosTrackForASoundAndARenderingForAnObject) {
  EXPECT_TRUE(load_media_for_request(write("a.mp4", kMp4), Modality::kAudio));
  EXPECT_TRUE(load_media_for_request(write("a.png", kPng), Modality::kPointCloud));
}

TEST_F(Encode, RefusesAFileOfAnotherKind) {
  const Error error = error_of(write("a.png", kWav), Modality::kImage);
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(error.message, "a.png: wanted a picture (png, jpeg, webp, gif), found audio/wav");
  EXPECT_EQ(error_of(write("b.mp4", kPng), Modality::kVideo).code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of(write("c.wav", kPng), Modality::kAudio).code, ErrorCode::kInvalidArgument);
}

TEST_F(Encode, RefusesAFileOfUnknownType) {
  const Error error = error_of(write("a.jpg", "<html>404</html>"), Modality::kImage);
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("unknown type"));
}

TEST_F(Encode, SaysThatNoServerTakesPointClouds) {
  std::string npz = std::string("PK\x03\x04", 4) + std::string(26, '\0') + "arr_0.npy";
  npz[26] = 9;
  const auto path = write("x_8192.npz", npz);
  for (const Modality modality : {Modality::kPointCloud, Modality::kImage}) {
    EXPECT_EQ(error_of(path, modality).code, ErrorCode::kUnimplemented);
  }
}

TEST_F(Encode, TellsMissingEmptyAndOddFilesApart) {
  EXPECT_EQ(error_of(folder_ / "none.png", Modality::kImage).code, ErrorCode::kNotFound);
  EXPECT_EQ(error_of(write("empty.png", ""), Modality::kImage).code, ErrorCode::kDataLoss);
  std::filesystem::create_directory(folder_ / "folder.png");
  EXPECT_EQ(error_of(folder_ / "folder.png", Modality::kImage).code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of("/dev/zero", Modality::kImage).code, ErrorCode::kInvalidArgument);
}

TEST_F(Encode, RefusesAFileThatIsTooLargeWithBothSizes) {
  const auto path = write("big.png", kPng + std::string(1000, 'x'));
  const auto loaded = load_media_for_request(path, Modality::kImage, 500);
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().code, ErrorCode::kResourceExhausted);
  EXPECT_THAT(loaded.error().message, HasSubstr("big.png: 1014 bytes"));
  EXPECT_THAT(loaded.error().message, HasSubstr("500"));
}

TEST_F(Encode, FollowsALinkButNotToNowhere) {
  std::filesystem::create_symlink(write("a.png", kPng), folder_ / "link.png");
  EXPECT_TRUE(load_media_for_request(folder_ / "link.png", Modality::kImage));
  std::filesystem::create_symlink(folder_ / "gone", folder_ / "dangling.png");
  EXPECT_EQ(error_of(folder_ / "dangling.png", Modality::kImage).code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace contra4::media
