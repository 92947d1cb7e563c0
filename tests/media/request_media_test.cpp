#include "contra4/media/request_media.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "tests/support/fake_decoder.h"
#include "tests/support/test_env.h"

namespace contra4::media {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const std::string kPng = std::string("\x89PNG\r\n\x1a\n") + "pixels";
const std::string kBmp = std::string("BM\x36\x10\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0pixels", 24);
const std::string kWav = std::string("RIFF\x10\0\0\0WAVEfmt ", 16) + "samples";
const std::string kMp4 = std::string("\0\0\0\x18", 4) + "ftypisom" + "frames";
const std::string kObj = "v 0 0 0\nv 1 1 1\n";
// A JPEG whose EXIF block says: turn a quarter clockwise.
const std::string kTurnedJpeg = std::string(
    "\xff\xd8\xff\xe1\0\x22"
    "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0\xff\xd9",
    40);

class RequestMediaTest : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }
  RequestMedia loader(RequestMediaOptions options = {}) {
    return RequestMedia(std::move(options), [this]() -> const MediaDecoder& {
      ++num_opened_;
      return decoder_;
    });
  }
  std::vector<EncodedMedia> load(const std::filesystem::path& path, Modality modality,
                                 const RequestMediaOptions& options = {},
                                 const MediaForm& form = {}) {
    return loader(options).load(path, modality, form).value();
  }
  Error error_of(const std::filesystem::path& path, Modality modality,
                 const RequestMediaOptions& options = {}) {
    const auto loaded = loader(options).load(path, modality, {});
    EXPECT_FALSE(loaded.has_value());
    if (loaded) return {};
    EXPECT_THAT(loaded.error().message, Not(HasSubstr(folder_.path().string())));
    return loaded.error();
  }

  testing::TempDir folder_;
  testing::FakeDecoder decoder_;
  int num_opened_ = 0;
};

TEST_F(RequestMediaTest, SendsWhatServersTakeAsItIsAndOpensNoCodecs) {
  const auto picture = load(write("a.jpg", kPng), Modality::kImage);
  ASSERT_THAT(picture, SizeIs(1));
  EXPECT_EQ(picture[0].mime_type, "image/png");
  EXPECT_EQ(picture[0].format, "png");
  EXPECT_EQ(data_url(picture[0]), "data:image/png;base64," + base64_encode(kPng));
  EXPECT_THAT(picture[0].words, IsEmpty());
  EXPECT_EQ(load(write("b", kWav), Modality::kAudio)[0].format, "wav");
  EXPECT_EQ(load(write("c", kMp4), Modality::kVideo)[0].format, "mp4");
  EXPECT_EQ(load(write("rendered.png", kPng), Modality::kPointCloud)[0].format, "png");
  EXPECT_EQ(num_opened_, 0);
}

TEST_F(RequestMediaTest, TranscodesPicturesThatServersRefuse) {
  const auto bmp = load(write("a.bmp", kBmp), Modality::kImage);
  ASSERT_THAT(bmp, SizeIs(1));
  EXPECT_EQ(bmp[0].mime_type, "image/jpeg");
  EXPECT_EQ(load(write("a.png", kPng), Modality::kImage, {.max_image_side = 100})[0].mime_type,
            "image/jpeg");
  EXPECT_EQ(load(write("big.png", kPng + std::string(300'000, 'x')), Modality::kImage,
                 {.max_bytes = 290'000})[0]
                .mime_type,
            "image/jpeg");
}

TEST_F(RequestMediaTest, TurnsPicturesThatLieOnTheirSide) {
  const auto turned = load(write("a.jpg", kTurnedJpeg), Modality::kImage);
  EXPECT_EQ(turned[0].base64, base64_encode(*decoder_.encode_jpeg({480, 640, {}}, 92)));
  std::string upright = kTurnedJpeg;
  upright[31] = 1;
  EXPECT_EQ(load(write("b.jpg", upright), Modality::kImage)[0].base64, base64_encode(upright));
}

TEST_F(RequestMediaTest, TranscodesSounds) {
  const auto flac = write("a.flac", "fLaC samples");
  EXPECT_EQ(load(flac, Modality::kAudio)[0].mime_type, "audio/wav");
  EXPECT_EQ(load(flac, Modality::kAudio, {}, {.takes_every_sound = true})[0].mime_type,
            "audio/flac");
  EXPECT_EQ(load(write("track.mp4", kMp4), Modality::kAudio)[0].format, "wav");
  const auto large = write("large.wav", kWav + std::string(100'000, '\0'));
  const auto smaller = load(large, Modality::kAudio, {.max_bytes = 70'000});
  EXPECT_EQ(smaller[0].base64.size(), (44U + 64'000 + 2) / 3 * 4);
}

TEST_F(RequestMediaTest, SendsFramesWhereNoVideoIsTaken) {
  const auto video = write("a.mp4", kMp4);
  const auto frames = load(video, Modality::kVideo, {.video_frames = 4}, {.video_as_frames = true});
  ASSERT_THAT(frames, SizeIs(4));
  for (const EncodedMedia& frame : frames) EXPECT_EQ(frame.mime_type, "image/jpeg");
  EXPECT_THAT(frames[0].words, HasSubstr("4 frames of one video"));
  EXPECT_THAT(load(video, Modality::kVideo, {.videos_as_frames = true}), SizeIs(8));
  // One that is too large is better seen in parts than not at all.
  const auto large = write("b.mp4", kMp4 + std::string(50'000, 'x'));
  EXPECT_THAT(load(large, Modality::kVideo, {.max_bytes = 40'000}), SizeIs(8));
}

TEST_F(RequestMediaTest, DrawsObjects) {
  const auto sheet = load(write("a.obj", kObj), Modality::kPointCloud);
  ASSERT_THAT(sheet, SizeIs(1));
  EXPECT_EQ(sheet[0].mime_type, "image/jpeg");
  EXPECT_EQ(sheet[0].base64, base64_encode(*decoder_.encode_jpeg({772, 772, {}}, 92)));
  EXPECT_THAT(sheet[0].words, HasSubstr("3D object, drawn 4 times"));
}

TEST_F(RequestMediaTest, RefusesFilesOfAnotherKind) {
  const Error error = error_of(write("a.png", kWav), Modality::kImage);
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(error.message,
            "a.png: wanted a picture (png, jpeg, webp, gif, bmp, tiff), found audio/wav");
  EXPECT_EQ(error_of(write("b.mp4", kPng), Modality::kVideo).code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of(write("c.wav", kPng), Modality::kAudio).code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of(write("d.obj", kObj), Modality::kImage).code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error_of(write("e.jpg", "<html>404</html>"), Modality::kImage).message,
              HasSubstr("unknown type"));
}

TEST_F(RequestMediaTest, TellsMissingEmptyOddAndBrokenFilesApart) {
  EXPECT_EQ(error_of(folder_ / "none.png", Modality::kImage).code, ErrorCode::kNotFound);
  EXPECT_EQ(error_of(write("empty.png", ""), Modality::kImage).code, ErrorCode::kDataLoss);
  EXPECT_EQ(error_of(write("a.bmp", kBmp + "broken"), Modality::kImage).code, ErrorCode::kDataLoss);
  std::filesystem::create_directory(folder_ / "folder.png");
  EXPECT_EQ(error_of(folder_ / "folder.png", Modality::kImage).code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of("/dev/zero", Modality::kImage).code, ErrorCode::kInvalidArgument);
  std::filesystem::create_symlink(write("b.png", kPng), folder_ / "link.png");
  EXPECT_THAT(load(folder_ / "link.png", Modality::kImage), SizeIs(1));
  std::filesystem::create_symlink(folder_ / "gone", folder_ / "dangling.png");
  EXPECT_EQ(error_of(folder_ / "dangling.png", Modality::kImage).code, ErrorCode::kNotFound);
}

TEST_F(RequestMediaTest, SaysWhatIsMissingInABuildWithoutCodecs) {
  const RequestMedia without({}, []() -> const MediaDecoder& {
    throw Exception(ErrorCode::kUnimplemented, "configure with -DCONTRA4_WITH_CODECS=ON");
  });
  EXPECT_TRUE(without.load(write("a.png", kPng), Modality::kImage, {}));
  const auto error = without.load(write("a.obj", kObj), Modality::kPointCloud, {}).error();
  EXPECT_EQ(error.code, ErrorCode::kUnimplemented);
  EXPECT_EQ(error.message, "a.obj: configure with -DCONTRA4_WITH_CODECS=ON");
}

TEST_F(RequestMediaTest, TranscodesOnceForACache) {
  const RequestMediaOptions options{.cache = folder_ / "cache"};
  const auto video = write("a.mp4", kMp4);
  const auto first = load(video, Modality::kVideo, options, {.video_as_frames = true});
  const auto second =
      load(write("copy.mp4", kMp4), Modality::kVideo, options, {.video_as_frames = true});
  EXPECT_EQ(decoder_.num_decoded, 1);
  ASSERT_EQ(first.size(), second.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].base64, second[i].base64);
    EXPECT_EQ(first[i].words, second[i].words);
    EXPECT_EQ(first[i].mime_type, second[i].mime_type);
  }
  RequestMediaOptions other = options;
  other.video_frames = 3;
  EXPECT_THAT(load(video, Modality::kVideo, other, {.video_as_frames = true}), SizeIs(3));
  load(write("a.mp4", kMp4 + "other"), Modality::kVideo, options, {.video_as_frames = true});
  EXPECT_EQ(decoder_.num_decoded, 3);
}

TEST_F(RequestMediaTest, GoesOnWhereTheCacheCannotBeWritten) {
  write("file", "no folder");
  const RequestMediaOptions options{.cache = folder_ / "file/cache"};
  EXPECT_THAT(load(write("a.bmp", kBmp), Modality::kImage, options), SizeIs(1));
}

TEST_F(RequestMediaTest, WritesPicturesForPrograms) {
  const RequestMedia media = loader({.video_frames = 2, .cache = folder_ / "cache"});
  const auto frames = media.picture_files(write("a.mp4", kMp4), Modality::kVideo).value();
  ASSERT_THAT(frames, SizeIs(2));
  EXPECT_EQ(frames[0].file.extension(), ".jpg");
  EXPECT_THAT(io::read_file(frames[1].file), HasSubstr("64x8"));
  EXPECT_THAT(frames[0].words, HasSubstr("2 frames"));
  const auto again = media.picture_files(write("a.mp4", kMp4), Modality::kVideo).value();
  EXPECT_EQ(again[0].file, frames[0].file);
  EXPECT_EQ(decoder_.num_decoded, 1);
  EXPECT_THAT(media.picture_files(write("a.obj", kObj), Modality::kPointCloud).value(), SizeIs(1));
  EXPECT_THAT(media.picture_files(write("a.png", kPng), Modality::kImage).value(), IsEmpty());
  EXPECT_THAT(media.picture_files(write("a.wav", kWav), Modality::kAudio).value(), IsEmpty());
  EXPECT_THROW((void)loader().picture_files(write("a.obj", kObj), Modality::kPointCloud),
               Exception);
}

TEST(RequestMediaOptionsTest, NameWhatIsOutOfRange) {
  EXPECT_THROW(RequestMediaOptions({.video_frames = 0}).validate(), Exception);
  EXPECT_THROW(RequestMediaOptions({.video_frames = 257}).validate(), Exception);
  EXPECT_THROW(RequestMediaOptions({.max_image_side = -1}).validate(), Exception);
  EXPECT_THROW(RequestMediaOptions({.max_bytes = 0}).validate(), Exception);
  EXPECT_THROW(RequestMediaOptions({.views = {.num_views = 9}}).validate(), Exception);
}

TEST(RequestMediaOptionsTest, DescribeAllThatDecides) {
  EXPECT_EQ(RequestMediaOptions().description_json(),
            R"({"video_frames": 8, "videos_as_frames": false, "max_image_side": 0, )"
            R"("max_bytes": 20971520, "views": 4, "view_side": 384, "up": "y"})");
  EXPECT_THAT(RequestMediaOptions({.cache = "/secret"}).description_json(),
              Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace contra4::media
