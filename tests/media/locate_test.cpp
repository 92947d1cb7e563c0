#include "contra4/media/locate.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_env.h"

namespace contra4::media {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Locate : public ::testing::Test {
 protected:
  fs::path make(const std::string& name) {
    const fs::path path = folder_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << "x";
    return path;
  }
  MediaRoots published() {
    MediaRoots roots;
    const auto folder = [&](const char* name) {
      fs::create_directories(folder_ / name);
      return folder_ / name;
    };
    roots.coco_dir = folder("coco");
    roots.audiocaps_dir = folder("audiocaps");
    roots.clotho_dir = folder("clotho");
    roots.msrvtt_dir = folder("msrvtt");
    roots.objaverse_dir = folder("objaverse");
    roots.objaverse_feat_dir = folder("feat");
    return roots;
  }
  static RecordId id(std::string text) { return {std::move(text), false}; }
  testing::TempDir folder_;
};

TEST_F(Locate, FindsThePublishedCorporaByTheirNames) {
  const MediaLocator locator(published());
  const auto coco = make("coco/000000012345.jpg");
  const auto audiocaps = make("audiocaps/-abc_30.wav");
  const auto clotho = make("clotho/Rain on roof.wav");
  const auto msrvtt = make("msrvtt/video7020.mp4");
  const auto object = make("objaverse/0001ab_8192.npz");
  EXPECT_EQ(locator.locate("coco_val", {"12345", true}, Modality::kImage).value(), coco);
  EXPECT_EQ(locator.locate("mscoco", id("000000012345"), Modality::kImage).value(), coco);
  EXPECT_EQ(locator.locate("audiocaps_test", id("-abc_30"), Modality::kAudio).value(), audiocaps);
  EXPECT_EQ(locator.locate("clotho_evaluation", id("Rain on roof.wav"), Modality::kAudio).value(),
            clotho);
  EXPECT_EQ(locator.locate("msrvtt_test", id("video7020"), Modality::kVideo).value(), msrvtt);
  EXPECT_EQ(locator.locate("pointllm", id("0001ab"), Modality::kPointCloud).value(), object);
}

TEST_F(Locate, LooksForObjectsInTheNewerFolderToo) {
  const MediaLocator locator(published());
  const auto object = make("feat/0002cd_8192.npz");
  EXPECT_EQ(locator.locate("objaverse", id("0002cd"), Modality::kPointCloud).value(), object);
}

TEST_F(Locate, TakesTheMediaRootFirst) {
  MediaRoots roots = published();
  roots.media_root = folder_ / "root";
  make("coco/000000000007.jpg");
  const auto mine = make("root/coco_val/7.png");
  EXPECT_EQ(MediaLocator(roots).locate("coco_val", id("7"), Modality::kImage).value(), mine);
}

TEST_F(Locate, TriesSourceThenModalityWithAndWithoutSuffix) {
  MediaRoots roots;
  roots.media_root = folder_ / "root";
  const auto by_modality = make("root/audio/bell.flac");
  const auto exact = make("root/mini/clip");
  const auto padded = make("root/image/000000000042.jpg");
  const MediaLocator locator(roots);
  EXPECT_EQ(locator.locate("mini", id("bell"), Modality::kAudio).value(), by_modality);
  EXPECT_EQ(locator.locate("mini", id("clip"), Modality::kVideo).value(), exact);
  EXPECT_EQ(locator.locate("mini", id("42"), Modality::kImage).value(), padded);
}

TEST_F(Locate, SaysWhatToSetOrWhereItLooked) {
  const auto unset = MediaLocator({}).locate("coco_val", id("7"), Modality::kImage);
  EXPECT_EQ(unset.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(unset.error().message,
            "coco_val 7: set COCO_DIR or --media-root to find 000000000007.jpg");
  const auto missing = MediaLocator(published()).locate("coco_val", id("7"), Modality::kImage);
  EXPECT_THAT(missing.error().message, HasSubstr((folder_ / "coco/000000000007.jpg").string()));
  EXPECT_THAT(MediaLocator({}).locate("mini", id("x"), Modality::kAudio).error().message,
              HasSubstr("--media-root"));
}

TEST_F(Locate, NeverLeavesItsFolders) {
  make("secret.jpg");
  MediaRoots roots = published();
  roots.media_root = folder_ / "root";
  make("root/image/a.jpg");
  const MediaLocator locator(roots);
  for (const std::string bad : {"../secret", "..", ".", "", "/etc/passwd", "a/b", "a\\b",
                                "nul\0byte", "line\nbreak", "\x7f"}) {
    const auto by_id = locator.locate("coco_val", id(bad), Modality::kImage);
    ASSERT_FALSE(by_id.has_value()) << bad;
  }
  EXPECT_EQ(locator.locate("coco_val", id("../secret"), Modality::kImage).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(locator.locate("..", id("secret"), Modality::kImage).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(locator.locate("a", id(std::string("x\0y", 3)), Modality::kImage).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(locator.locate("a", id(std::string(10'000, 'x')), Modality::kImage).error().code,
            ErrorCode::kInvalidArgument);
}

TEST_F(Locate, ShowsNoControlCharactersOfAnId) {
  const auto error = MediaLocator({}).locate("a", id("x\x1b[31m"), Modality::kImage).error();
  EXPECT_EQ(error.message.find('\x1b'), std::string::npos);
}

TEST_F(Locate, DoesNotTakeAFolderForAFile) {
  fs::create_directories(folder_ / "coco/000000000007.jpg");
  EXPECT_FALSE(MediaLocator(published()).locate("coco", id("7"), Modality::kImage));
}

TEST_F(Locate, RefusesARootThatIsNoFolder) {
  MediaRoots roots;
  roots.coco_dir = folder_ / "nowhere";
  try {
    const MediaLocator locator(roots);
    FAIL() << "accepted";
  } catch (const Exception& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_THAT(error.what(), HasSubstr("COCO_DIR"));
  }
}

TEST_F(Locate, ListsEachMissingMediumOnceInOrder) {
  make("coco/000000000001.jpg");
  const MediaLocator locator(published());
  const std::vector<MediumKey> keys = {{"coco", id("2"), Modality::kImage},
                                       {"coco", id("1"), Modality::kImage},
                                       {"audiocaps", id("2"), Modality::kAudio},
                                       {"coco", id("2"), Modality::kImage}};
  const auto missing = find_missing_media(locator, keys);
  ASSERT_EQ(missing.size(), 2U);
  EXPECT_EQ(missing[0].key.source, "coco");
  EXPECT_EQ(missing[1].key.source, "audiocaps");
}

}  // namespace
}  // namespace contra4::media
