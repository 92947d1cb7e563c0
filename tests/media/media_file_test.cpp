#include "contra4/media/media_file.h"

#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/test_env.h"

namespace contra4::media {
namespace {

TEST(MediaFile, IsOpenedWithItsTypeAndName) {
  const testing::TempDir folder;
  std::ofstream(folder / "a.wav", std::ios::binary) << "fLaC samples";
  const auto file = open_media_file(folder / "a.wav", Modality::kAudio);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->name, "a.wav");
  EXPECT_EQ(file->type.format, "flac");
  EXPECT_EQ(file->file.bytes(), "fLaC samples");
}

TEST(MediaFile, IsRefusedForAnotherModality) {
  const testing::TempDir folder;
  std::ofstream(folder / "a.obj") << "v 0 0 0\n";
  EXPECT_TRUE(open_media_file(folder / "a.obj", Modality::kPointCloud));
  for (const Modality modality : {Modality::kImage, Modality::kAudio, Modality::kVideo}) {
    const auto file = open_media_file(folder / "a.obj", modality);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(file.error().message.find("found model/obj"), std::string::npos);
  }
  EXPECT_EQ(open_media_file(folder / "b", Modality::kImage).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace contra4::media
