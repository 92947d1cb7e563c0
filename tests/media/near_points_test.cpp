#include "contra4/media/near_points.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "contra4/base/random.h"

namespace contra4::media {
namespace {

std::vector<Point> some_points(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<Point> points;
  for (std::size_t i = 0; i < count; ++i) {
    Point point{};
    // Coarse, so that there are equal points and equal distances.
    for (float& value : point) value = static_cast<float>(random.below(12));
    points.push_back(point);
  }
  return points;
}

float squared_distance(const Point& a, const Point& b) {
  float sum = 0;
  for (std::size_t i = 0; i < 3; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

TEST(NearPoints, FindsWhatLookingAtAllFinds) {
  const std::vector<Point> points = some_points(600, 1);
  const NearPoints tree(points);
  std::vector<NearPoints::Neighbor> found;
  for (const Point& place : some_points(50, 2)) {
    std::vector<std::pair<float, std::uint32_t>> all;
    for (std::uint32_t i = 0; i < points.size(); ++i) {
      all.emplace_back(squared_distance(points[i], place), i);
    }
    std::sort(all.begin(), all.end());
    tree.find(place, 20, found);
    ASSERT_EQ(found.size(), 20U);
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].squared_distance, all[i].first);
      EXPECT_EQ(found[i].index, all[i].second);
    }
  }
}

TEST(NearPoints, GivesFewerWhereThereAreFewer) {
  const std::vector<Point> points = some_points(3, 1);
  std::vector<NearPoints::Neighbor> found;
  NearPoints(points).find({}, 10, found);
  EXPECT_EQ(found.size(), 3U);
  NearPoints(points).find({}, 0, found);
  EXPECT_TRUE(found.empty());
  NearPoints({}).find({}, 4, found);
  EXPECT_TRUE(found.empty());
}

TEST(NearPoints, BearsManyEqualPoints) {
  const std::vector<Point> points(5000, Point{1, 2, 3});
  std::vector<NearPoints::Neighbor> found;
  NearPoints(points).find({1, 2, 3}, 4, found);
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[3].squared_distance, 0);
}

}  // namespace
}  // namespace contra4::media
