#include "contra4/media/mesh.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace contra4::media {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Two triangles in the plane z = 0: the unit half square, and one three times as large at x >= 10.
Mesh two_triangles() {
  Mesh mesh;
  mesh.vertices.xyz = {0, 0, 0, 1, 0, 0, 0, 1, 0, 10, 0, 0, 13, 0, 0, 10, 1, 0};
  mesh.vertices.rgb = {1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1};
  mesh.triangles = {{0, 1, 2}, {3, 4, 5}};
  return mesh;
}

TEST(Mesh, SpreadsPointsByArea) {
  const PointCloud cloud = points_of(two_triangles());
  ASSERT_EQ(cloud.num_points(), kSpreadPoints);
  ASSERT_EQ(cloud.rgb.size(), cloud.xyz.size());
  std::size_t num_small = 0;
  double sum_x = 0;
  for (std::size_t i = 0; i < cloud.num_points(); ++i) {
    const float x = cloud.xyz[3 * i];
    const float y = cloud.xyz[3 * i + 1];
    EXPECT_EQ(cloud.xyz[3 * i + 2], 0);
    const bool is_small = x < 5;
    num_small += is_small ? 1 : 0;
    sum_x += is_small ? x : 0;
    EXPECT_LE(is_small ? x + y : (x - 10) / 3 + y, 1 + 1e-5);
    EXPECT_EQ(cloud.rgb[3 * i], is_small ? 1 : 0);
    EXPECT_EQ(cloud.rgb[3 * i + 2], is_small ? 0 : 1);
  }
  EXPECT_EQ(num_small, kSpreadPoints / 4);
  EXPECT_NEAR(sum_x / static_cast<double>(num_small), 1.0 / 3, 1e-3);  // the centroid
}

TEST(Mesh, SpreadsThemWithoutClustersOrGaps) {
  Mesh mesh;
  mesh.vertices.xyz = {0, 0, 0, 1, 0, 0, 0, 1, 0};
  mesh.triangles = {{0, 1, 2}};
  const PointCloud cloud = points_of(mesh);
  // Squares of a 16th: 8192 points over half a unit square give 64 each.
  std::vector<int> count(256);
  for (std::size_t i = 0; i < cloud.num_points(); ++i) {
    const auto column = static_cast<std::size_t>(cloud.xyz[3 * i] * 16);
    const auto row = static_cast<std::size_t>(cloud.xyz[3 * i + 1] * 16);
    if (column < 16 && row < 16) ++count[row * 16 + column];
  }
  for (std::size_t row = 0; row < 16; ++row) {
    for (std::size_t column = 0; row + column + 2 <= 16; ++column) {
      EXPECT_NEAR(count[row * 16 + column], 64, 10) << row << ' ' << column;
    }
  }
}

TEST(Mesh, IsAlwaysTheSame) {
  EXPECT_EQ(points_of(two_triangles()).xyz, points_of(two_triangles()).xyz);
}

TEST(Mesh, KeepsVerticesWithoutAreaOrWhereThereAreEnough) {
  Mesh flat;
  flat.vertices.xyz = {0, 0, 0, 1, 1, 1, 2, 2, 2};
  flat.triangles = {{0, 1, 2}, {1, 1, 1}};
  EXPECT_THAT(points_of(flat).xyz, ElementsAre(0, 0, 0, 1, 1, 1, 2, 2, 2));
  Mesh bare;
  bare.vertices.xyz = {0, 0, 0};
  EXPECT_THAT(points_of(bare).xyz, ElementsAre(0, 0, 0));
  Mesh fine;
  fine.vertices.xyz.assign(3 * (kSpreadPoints + 1), 0.5F);
  fine.vertices.xyz[3] = 7;
  fine.triangles = {{0, 1, 2}};
  EXPECT_EQ(points_of(fine).num_points(), kSpreadPoints + 1);
}

TEST(Mesh, SurvivesAnAreaBeyondNumbers) {
  Mesh mesh;
  const float far = std::numeric_limits<float>::max();
  mesh.vertices.xyz = {-far, 0, 0, far, 0, 0, 0, far, 0};
  mesh.triangles = {{0, 1, 2}};
  for (const float value : points_of(mesh).xyz) EXPECT_TRUE(std::isfinite(value));
}

TEST(Colours, AreScaledByTheirHighest) {
  std::vector<float> unit = {0, 0.5F, 1};
  scale_colours(unit);
  EXPECT_THAT(unit, ElementsAre(0, 0.5F, 1));
  std::vector<float> bytes = {0, 51, 255};
  scale_colours(bytes);
  EXPECT_THAT(bytes, ElementsAre(0, 0.2F, 1));
}

TEST(Colours, AreNoneWhereTheyLookLikeNormals) {
  std::vector<float> normals = {0, -0.5F, 1};
  scale_colours(normals);
  EXPECT_THAT(normals, IsEmpty());
  std::vector<float> beyond = {0, 256, 1};
  scale_colours(beyond);
  EXPECT_THAT(beyond, IsEmpty());
}

TEST(Finite, NamesTheFirstOddPoint) {
  PointCloud cloud;
  cloud.xyz = {0, 0, 0, 1, std::numeric_limits<float>::quiet_NaN(), 1};
  const auto checked = check_finite(cloud, "x.npy");
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(checked.error().message, HasSubstr("x.npy: point 1 (counted from 0) holds nan"));
}

}  // namespace
}  // namespace contra4::media
