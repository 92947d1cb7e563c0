#include "contra4/models/prepared_file.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/npy.h"

namespace contra4::models {
namespace {

using ::testing::HasSubstr;

std::string little_endian(std::uint64_t value, int num_bytes) {
  std::string bytes;
  for (int i = 0; i < num_bytes; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

std::uint32_t crc32_of(const std::string& bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

// An npz with one stored array of zeros.
std::string npz(const std::string& member, std::vector<std::int64_t> shape,
                io::TensorType type = io::TensorType::kF32) {
  io::NpyArray array;
  array.type = type;
  array.shape = std::move(shape);
  std::int64_t count = 1;
  for (const std::int64_t extent : array.shape) count *= extent;
  array.bytes.assign(static_cast<std::size_t>(count) * io::bytes_per_element(type), '\0');
  const std::string data = io::write_npy(array);
  const std::string name = member + ".npy";
  const std::string common = little_endian(0, 2) + little_endian(0, 2) + little_endian(0, 4) +
                             little_endian(crc32_of(data), 4) + little_endian(data.size(), 4) +
                             little_endian(data.size(), 4) + little_endian(name.size(), 2) +
                             little_endian(0, 2);
  const std::string local =
      little_endian(0x04034b50, 4) + little_endian(20, 2) + common + name + data;
  const std::string central = little_endian(0x02014b50, 4) + little_endian(20, 2) +
                              little_endian(20, 2) + common + little_endian(0, 2) +
                              little_endian(0, 2) + little_endian(0, 2) + little_endian(0, 4) +
                              little_endian(0, 4) + name;
  return local + central + little_endian(0x06054b50, 4) + little_endian(0, 4) +
         little_endian(1, 2) + little_endian(1, 2) + little_endian(central.size(), 4) +
         little_endian(local.size(), 4) + little_endian(0, 2);
}

std::vector<std::int64_t> shape_of(Modality modality, const std::string& bytes) {
  const auto prepared = read_prepared_file(modality, bytes, "x.npz");
  if (!prepared || !*prepared) return {};
  EXPECT_EQ((**prepared).size(), 1U);
  EXPECT_EQ((**prepared)[0].scalar_type(), at::kFloat);
  return (**prepared)[0].sizes().vec();
}

using Shape = std::vector<std::int64_t>;

TEST(PreparedFile, IsToldByTheModalitysName) {
  EXPECT_EQ(shape_of(Modality::kImage, npz("image", {3, 4, 5})), (Shape{3, 4, 5}));
  EXPECT_EQ(shape_of(Modality::kPointCloud, npz("point", {8, 6})), (Shape{8, 6}));
  EXPECT_EQ(shape_of(Modality::kPointCloud, npz("pc", {8, 6})), (Shape{8, 6}));
}

TEST(PreparedFile, LosesALeadingBatchOfOne) {
  EXPECT_EQ(shape_of(Modality::kVideo, npz("video", {1, 15, 3, 2, 2})), (Shape{15, 3, 2, 2}));
  EXPECT_EQ(shape_of(Modality::kAudio, npz("audio", {1, 8, 9})), (Shape{1, 8, 9}));
}

TEST(PreparedFile, WidensHalfPrecision) {
  EXPECT_EQ(shape_of(Modality::kImage, npz("image", {3, 2, 2}, io::TensorType::kF16)),
            (Shape{3, 2, 2}));
}

TEST(PreparedFile, OtherFilesAreNone) {
  EXPECT_FALSE(read_prepared_file(Modality::kImage, "\x89PNG\r\n", "x"));
  EXPECT_FALSE(read_prepared_file(Modality::kImage, "PK\x03\x04 cut", "x"));
  EXPECT_FALSE(read_prepared_file(Modality::kPointCloud, npz("arr_0", {8, 3}), "x"));
  EXPECT_FALSE(read_prepared_file(Modality::kAudio, npz("image", {3, 4, 5}), "x"));
}

TEST(PreparedFile, AnotherShapeIsAnError) {
  for (const Shape& shape : {Shape{4, 5}, Shape{2, 3, 4, 5}, Shape{3, 0, 5}}) {
    const auto prepared = read_prepared_file(Modality::kImage, npz("image", shape), "x.npz");
    ASSERT_TRUE(prepared);
    ASSERT_FALSE(*prepared);
    EXPECT_EQ(prepared->error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(prepared->error().message, HasSubstr("x.npz: 'image' has the shape"));
  }
}

}  // namespace
}  // namespace contra4::models
