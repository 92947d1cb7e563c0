#include "contra4/media/surfels.h"

#include <cmath>

#include <gtest/gtest.h>

#include "contra4/base/random.h"

namespace contra4::media {
namespace {

// A sphere of that radius around (5, 6, 7).
PointCloud sphere(std::size_t count, double radius) {
  Random random(3);
  PointCloud cloud;
  while (cloud.num_points() < count) {
    const double x = random.uniform() * 2 - 1;
    const double y = random.uniform() * 2 - 1;
    const double z = random.uniform() * 2 - 1;
    const double length = std::sqrt(x * x + y * y + z * z);
    if (length > 1 || length < 0.1) continue;
    cloud.xyz.push_back(static_cast<float>(5 + radius * x / length));
    cloud.xyz.push_back(static_cast<float>(6 + radius * y / length));
    cloud.xyz.push_back(static_cast<float>(7 + radius * z / length));
  }
  return cloud;
}

float length(const Point& p) {
  return std::sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2]);
}

TEST(Surfels, LieOnTheSurfaceAndAlongIt) {
  const auto surfels = make_surfels(sphere(4000, 20), UpAxis::kZ);
  ASSERT_GT(surfels.size(), 3900U);
  std::size_t num_right = 0;
  for (const Surfel& surfel : surfels) {
    EXPECT_NEAR(length(surfel.centre), 1, 0.02);
    const float cosine =
        (surfel.centre[0] * surfel.normal[0] + surfel.centre[1] * surfel.normal[1] +
         surfel.centre[2] * surfel.normal[2]) /
        length(surfel.centre);
    num_right += std::abs(cosine) > 0.98 ? 1 : 0;
    EXPECT_GT(surfel.radius, 0.02F);  // 4000 of a surface of 4 pi are 0.056 apart
    EXPECT_LE(surfel.radius, 0.05F);
  }
  EXPECT_GT(num_right, surfels.size() * 99 / 100);
}

TEST(Surfels, TurnYUpIntoZUp) {
  PointCloud cloud;
  cloud.xyz = {0, -1, 0, 0, 1, 0, 0, 0, 0.5F};
  const auto surfels = make_surfels(cloud, UpAxis::kY);
  ASSERT_EQ(surfels.size(), 3U);
  EXPECT_NEAR(surfels[1].centre[2] - surfels[0].centre[2], 2, 0.1);
  EXPECT_LT(surfels[2].centre[1], surfels[0].centre[1]);  // what looks along +z stands in front
  const auto kept = make_surfels(cloud, UpAxis::kZ);
  EXPECT_NEAR(kept[1].centre[1] - kept[0].centre[1], 2, 0.1);
}

TEST(Surfels, ThinOutWhatAPictureCannotShow) {
  const auto surfels = make_surfels(sphere(150'000, 1), UpAxis::kY);
  EXPECT_LE(surfels.size(), 120'000U);
  EXPECT_GT(surfels.size(), 50'000U);
}

TEST(Surfels, AreOneForEqualPoints) {
  PointCloud cloud;
  for (int i = 0; i < 1000; ++i) cloud.xyz.insert(cloud.xyz.end(), {4, 4, 4});
  const auto surfels = make_surfels(cloud, UpAxis::kY);
  ASSERT_EQ(surfels.size(), 1U);
  EXPECT_EQ(surfels[0].centre, (Point{0, 0, 0}));
  EXPECT_GT(surfels[0].radius, 0);
}

TEST(Surfels, HaveNoNormalsOnALine) {
  PointCloud cloud;
  for (int i = 0; i < 100; ++i) cloud.xyz.insert(cloud.xyz.end(), {static_cast<float>(i), 0, 0});
  for (const Surfel& surfel : make_surfels(cloud, UpAxis::kY)) {
    EXPECT_EQ(surfel.normal, (Point{0, 0, 0}));
  }
}

TEST(Surfels, DoNotShrinkForAStrayPoint) {
  PointCloud cloud = sphere(1000, 1);
  cloud.xyz.insert(cloud.xyz.end(), {1e6F, 0, 0});
  const auto surfels = make_surfels(cloud, UpAxis::kY);
  ASSERT_GE(surfels.size(), 990U);
  EXPECT_NEAR(length(surfels[0].centre), 1, 0.05);
}

TEST(Surfels, BearTheLargestNumbers) {
  PointCloud cloud;
  cloud.xyz = {-3e38F, 0, 0, 3e38F, 0, 0, 0, 3e38F, 1e-38F};
  for (const Surfel& surfel : make_surfels(cloud, UpAxis::kY)) {
    EXPECT_LE(length(surfel.centre), 1.01F);
    EXPECT_TRUE(std::isfinite(surfel.radius));
  }
}

}  // namespace
}  // namespace contra4::media
