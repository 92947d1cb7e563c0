#include "contra4/media/point_cloud.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "contra4/io/npy.h"
#include "tests/support/test_env.h"

namespace contra4::media {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// float32 values as a .npy file.
std::string npy(std::vector<std::int64_t> shape, const std::vector<float>& values) {
  io::NpyArray array;
  array.shape = std::move(shape);
  const auto* bytes = reinterpret_cast<const char*>(values.data());  // NOLINT(*-reinterpret-cast)
  array.bytes.assign(bytes, values.size() * sizeof(float));
  return io::write_npy(array);
}

Error error_of(const std::string& file, const PointLimits& limits = {}) {
  const auto cloud = read_point_cloud(file, "x", limits);
  EXPECT_FALSE(cloud.has_value());
  return cloud ? Error{} : cloud.error();
}

TEST(PointCloud, ReadsNpy) {
  const PointCloud bare = read_point_cloud(npy({2, 3}, {1, 2, 3, 4, 5, 6}), "x").value();
  EXPECT_THAT(bare.xyz, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(bare.rgb, IsEmpty());
  const PointCloud coloured =
      read_point_cloud(npy({2, 6}, {1, 2, 3, 255, 51, 0, 4, 5, 6, 0, 0, 255}), "x").value();
  EXPECT_THAT(coloured.xyz, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(coloured.rgb, ElementsAre(1, 0.2F, 0, 0, 0, 1));
  EXPECT_THAT(read_point_cloud(npy({1, 6}, {1, 2, 3, 0, -1, 0}), "x").value().rgb, IsEmpty());
}

TEST(PointCloud, RefusesArraysThatAreNoPoints) {
  EXPECT_EQ(error_of(npy({2, 4}, std::vector<float>(8))).message,
            "x: wanted points [n, 3], or [n, 6] with colours, found [2, 4]");
  EXPECT_EQ(error_of(npy({6}, std::vector<float>(6))).code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error_of(npy({0, 3}, {})).message, HasSubstr("holds no points"));
  EXPECT_THAT(error_of(npy({2, 3}, {1, 2, 3, 4, INFINITY, 6})).message,
              HasSubstr("x: point 1 (counted from 0) holds inf"));
  EXPECT_EQ(error_of(npy({2, 3}, std::vector<float>(6)), {.max_points = 1}).code,
            ErrorCode::kResourceExhausted);
  const std::string whole = npy({2, 3}, std::vector<float>(6));
  EXPECT_EQ(error_of(whole.substr(0, whole.size() - 1)).code, ErrorCode::kDataLoss);
}

TEST(PointCloud, ReadsTextByItsContent) {
  EXPECT_THAT(read_point_cloud("v 1 2 3\n", "x").value().xyz, ElementsAre(1, 2, 3));
  const std::string ply =
      "ply\nformat ascii 1.0\nelement vertex 1\nproperty int x\nproperty int y\nproperty int z\n"
      "end_header\n1 2 3\n";
  EXPECT_THAT(read_point_cloud(ply, "x").value().xyz, ElementsAre(1, 2, 3));
  const std::string triangle = "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n";
  EXPECT_EQ(read_point_cloud(triangle, "x").value().num_points(), 8192U);
}

TEST(PointCloud, RefusesOtherFiles) {
  EXPECT_EQ(error_of("").code, ErrorCode::kDataLoss);
  EXPECT_THAT(error_of("\xff\xd8\xff\xe0 a photo").message,
              HasSubstr("wanted a point cloud (npz, npy, ply, obj), found image/jpeg"));
  EXPECT_THAT(error_of("just words").message, HasSubstr("a file of unknown type"));
}

TEST(PointCloud, ReadsEveryObjectOfTheMiniSet) {
  std::size_t num_files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(testing::mini_dir() / "media" / "pc")) {
    const auto cloud = read_point_cloud(io::read_file(entry.path()), entry.path().string());
    ASSERT_TRUE(cloud.has_value()) << cloud.error().message;
    EXPECT_EQ(cloud->num_points(), 8192U);
    EXPECT_THAT(cloud->rgb, IsEmpty());
    EXPECT_LT(std::abs(*std::max_element(cloud->xyz.begin(), cloud->xyz.end())), 1.01F);
    ++num_files;
  }
  EXPECT_GE(num_files, 15U);
}

TEST(PointCloudGolden, IsTheSameStoredAndDeflated) {
  CONTRA4_REQUIRE_SHARED();
  const auto folder = testing::shared_dir() / "goldens" / "media";
  const auto read = [&](const char* name) {
    return read_point_cloud(io::read_file(folder / name), name).value();
  };
  const PointCloud stored = read("chair_8192.npz");
  const PointCloud deflated = read("chair_deflated_8192.npz");
  EXPECT_EQ(stored.num_points(), 8192U);
  EXPECT_EQ(stored.xyz, deflated.xyz);
}

}  // namespace
}  // namespace contra4::media
