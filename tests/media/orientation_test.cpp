#include "contra4/media/codecs/orientation.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "tests/media/codec_fixtures.h"

namespace contra4::media {
namespace {

using namespace std::string_view_literals;

// A picture of grey pixels, numbered.
Picture numbered(int width, int height) {
  Picture picture{.width = width, .height = height, .rgb = {}};
  for (int i = 0; i < width * height; ++i) {
    picture.rgb.insert(picture.rgb.end(), 3, static_cast<std::uint8_t>(i));
  }
  return picture;
}

std::vector<int> numbers(const Picture& picture) {
  std::vector<int> found;
  for (std::size_t i = 0; i < picture.rgb.size(); i += 3) found.push_back(picture.rgb[i]);
  return found;
}

TEST(Orientation, TurnsThreeByTwoPixels) {
  // 0 1 2
  // 3 4 5
  const std::vector<std::pair<int, std::vector<int>>> expected = {
      {1, {0, 1, 2, 3, 4, 5}}, {2, {2, 1, 0, 5, 4, 3}}, {3, {5, 4, 3, 2, 1, 0}},
      {4, {3, 4, 5, 0, 1, 2}}, {5, {0, 3, 1, 4, 2, 5}}, {6, {3, 0, 4, 1, 5, 2}},
      {7, {5, 2, 4, 1, 3, 0}}, {8, {2, 5, 1, 4, 0, 3}}};
  for (const auto& [orientation, pixels] : expected) {
    const Picture result = turned(numbered(3, 2), orientation);
    EXPECT_EQ(numbers(result), pixels) << orientation;
    EXPECT_EQ(result.width, orientation < 5 ? 3 : 2) << orientation;
    EXPECT_EQ(result.height, orientation < 5 ? 2 : 3) << orientation;
  }
}

TEST(Orientation, AnotherNumberIsOurOwnMistake) {
  EXPECT_THROW(turned(numbered(1, 1), 0), Exception);
  EXPECT_THROW(turned(numbered(1, 1), 9), Exception);
}

TEST(Orientation, ReadsAllEightFromJpeg) {
  for (int i = 1; i <= 8; ++i) {
    const std::string name = "orientation" + std::to_string(i) + ".jpg";
    EXPECT_EQ(read_exif_orientation(fixture_bytes(name)), i);
  }
}

TEST(Orientation, ReadsPngAndWebp) {
  EXPECT_EQ(read_exif_orientation(fixture_bytes("turned.png")), 6);
  EXPECT_EQ(read_exif_orientation(fixture_bytes("turned.webp")), 8);
}

TEST(Orientation, FilesWithoutExifAreUpright) {
  for (const char* name : {"rgb.jpg", "rgb.png", "lossy.webp", "lossless.webp", "still.gif"}) {
    EXPECT_EQ(read_exif_orientation(fixture_bytes(name)), kUpright) << name;
  }
  EXPECT_EQ(read_exif_orientation(""), kUpright);
}

// A JPEG file that holds nothing but this EXIF block.
std::string jpeg_with(std::string_view tiff) {
  const std::size_t size = 2 + 6 + tiff.size();
  std::string file = "\xff\xd8\xff\xe1";
  file += static_cast<char>(size >> 8U);
  file += static_cast<char>(size & 0xffU);
  return file.append("Exif\0\0"sv).append(tiff);
}

TEST(Orientation, ReadsBothByteOrders) {
  EXPECT_EQ(
      read_exif_orientation(jpeg_with("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0"sv)), 6);
  EXPECT_EQ(
      read_exif_orientation(jpeg_with("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08"sv)), 8);
}

TEST(Orientation, NonsenseIsUpright) {
  const std::vector<std::string_view> blocks = {
      "",
      "II*\0",
      "XX*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0"sv,
      "II*\0\xff\xff\xff\xff\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0"sv,  // a directory far outside
      "II*\0\x08\0\0\0\xff\xff\x12\x02\x03\0\x01\0\0\0\x06\0"sv,      // entries that are not there
      "II*\0\x08\0\0\0\x01\0\x12\x01\x04\0\x01\0\0\0\x06\0"sv,        // a LONG
      "II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x02\0\0\0\x06\0"sv,        // two of them
      "II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x09\0"sv,
      "II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\0\0"sv,
      "II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06"sv,  // cut within the value
  };
  for (const std::string_view block : blocks) {
    EXPECT_EQ(read_exif_orientation(jpeg_with(block)), kUpright) << ::testing::PrintToString(block);
  }
}

TEST(Orientation, CutFilesNeverReadBeyondTheirEnd) {
  for (const char* name : {"orientation6.jpg", "turned.png", "turned.webp", "rgba.tif"}) {
    const std::string bytes = fixture_bytes(name);
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
      const std::string cut = bytes.substr(0, size);  // on the heap, for the address sanitizer
      const int orientation = read_exif_orientation(cut);
      EXPECT_TRUE(orientation >= 1 && orientation <= 8);
    }
  }
}

}  // namespace
}  // namespace contra4::media
